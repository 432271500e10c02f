"""Writes a capture to replay: orders of a small market, seeded, as CSV or Parquet's source.

python scripts/replay_sample.py > configs/replay-sample.csv
"""

import argparse
import csv
import random
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

HEADER: Final = ("time", "symbol", "side", "price", "size", "type", "id", "reference")
SYMBOLS: Final = ("ADS", "ALV", "BAS", "BAYN", "BMW", "DBK", "DTE", "MUV2", "RWE", "SAP", "VOW3")
START_NS: Final = 1_795_507_200_000_000_000  # 2026-11-24 08:00 UTC
NEW_RATIO: Final = 0.55
REPLACE_RATIO: Final = 0.3  # of the others; the rest cancel
AGGRESSIVE_RATIO: Final = 0.1  # of the new orders, when there may be trades
BURST_RATIO: Final = 0.2  # orders that follow the one before within microseconds

Row = tuple[str, ...]


@dataclass(frozen=True)
class _Living:
    id: str
    symbol: str
    side: str


def capture(
    rows: int, *, rate_per_s: float, seed: int = 1, trades: bool = True, symbols: int = len(SYMBOLS)
) -> Iterator[Row]:
    """Rows of `HEADER`: orders that enter, change and leave the book.

    Args:
        rows: how many.
        rate_per_s: mean, at the recorded times.
        seed: same seed, same rows.
        trades: whether some orders meet others; without, every cancel finds its order.
        symbols: how many there are.
    """
    chance = random.Random(seed)  # noqa: S311 - a market, not a secret
    living: list[_Living] = []
    time_ns = float(START_NS)
    for number in range(rows):
        if number and chance.random() < BURST_RATIO:
            time_ns += chance.randrange(500, 5_000)
        elif number:
            time_ns += chance.expovariate(rate_per_s * (1 - BURST_RATIO)) * 1e9
        name = f"o{number}"
        if not living or chance.random() < NEW_RATIO:
            row = _new(chance, name, living, symbols=symbols, trades=trades)
        else:
            row = _change(chance, name, living)
        yield (str(round(time_ns)), *row)


def _new(
    chance: random.Random, name: str, living: list[_Living], *, symbols: int, trades: bool
) -> Row:
    index = chance.randrange(symbols)
    symbol = SYMBOLS[index] if index < len(SYMBOLS) else f"X{index}"
    side = chance.choice(("buy", "sell"))
    if trades and chance.random() < AGGRESSIVE_RATIO:
        size = str(chance.randrange(1, 5))
        if chance.random() < AGGRESSIVE_RATIO:
            return symbol, side, "", size, "market", name, ""
        return symbol, side, _price(index, -20 if side == "buy" else 20), size, "ioc", name, ""
    living.append(_Living(name, symbol, side))
    price = _price(index, _distance(chance, side))
    return symbol, side, price, str(chance.randrange(50, 500)), "limit", name, ""


def _change(chance: random.Random, name: str, living: list[_Living]) -> Row:
    order = living.pop(chance.randrange(len(living)))
    if chance.random() >= REPLACE_RATIO:
        return order.symbol, order.side, "", "", "cancel", name, order.id
    living.append(_Living(name, order.symbol, order.side))
    index = SYMBOLS.index(order.symbol) if order.symbol in SYMBOLS else int(order.symbol[1:])
    price = _price(index, _distance(chance, order.side))
    size = str(chance.randrange(50, 500))
    return order.symbol, order.side, price, size, "replace", name, order.id


def _distance(chance: random.Random, side: str) -> int:
    """Ticks below the middle for those who buy, above it for those who sell."""
    ticks = chance.randrange(1, 20)
    return ticks if side == "buy" else -ticks


def _price(index: int, ticks_below: int) -> str:
    ticks = 4_000 + 1_500 * (index % 40) - ticks_below
    return f"{ticks // 100}.{ticks % 100:02}"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=3_000)
    parser.add_argument("--rate", type=float, default=500, help="mean rows per second")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(HEADER)
    writer.writerows(capture(arguments.rows, rate_per_s=arguments.rate, seed=arguments.seed))
