"""Hands a file's orders to the load client, batch by batch, on a thread of its own."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np
import numpy.typing as npt

from cluster.errors import ClusterError
from cluster.experiment.replay import Replay
from cluster.fleet.replay_file import ReplayError, Rows, extent_of, read_rows
from cluster.units import NS_PER_S

LOOK_ROWS: Final = 50_000  # fewer than a worker's ring holds: nobody takes them
END_TIMEOUT_S: Final = 5.0


class RowSink(Protocol):
    """The load client, as far as the reader needs it. Calls wait while enough is held."""

    def replay_feed(
        self,
        *,
        new_symbols: Sequence[str],
        new_numbers: Sequence[int],
        time_ns: npt.NDArray[np.int64],
        symbol: npt.NDArray[np.uint32],
        price_ticks: npt.NDArray[np.int64],
        quantity: npt.NDArray[np.uint32],
        action: npt.NDArray[np.uint8],
        kind: npt.NDArray[np.uint8],
        side: npt.NDArray[np.uint8],
        id_offsets: npt.NDArray[np.int64],
        id_bytes: npt.NDArray[np.uint8],
        reference_offsets: npt.NDArray[np.int64],
        reference_bytes: npt.NDArray[np.uint8],
    ) -> bool:
        """Take rows. False: no more is wanted."""

    def replay_end_pass(self, again: bool) -> bool:
        """The file is at its end. False: no more is wanted."""

    def replay_fail(self, why: str) -> None:
        """The file can't be read on."""


@dataclass(frozen=True)
class FileLook:
    """What the first rows of a file, and the file itself, say."""

    rows: int  # that were looked at
    symbols: int
    unknown_references: int  # of those rows
    rate_per_s: float | None  # mean, at the recorded times
    whole_rows: int | None  # of the whole file, where that is known


class ReplayReader:
    """A thread that reads the file for one level."""

    def __init__(self, replay: Replay, sink: RowSink, *, with_times: bool) -> None:
        self._thread = threading.Thread(
            target=feed, args=(replay, sink), kwargs={"with_times": with_times}, daemon=True
        )
        self._thread.start()

    def join(self) -> None:
        """Wait for the end of the thread; the sink wants no more."""
        self._thread.join(END_TIMEOUT_S)


def feed(replay: Replay, sink: RowSink, *, with_times: bool) -> None:
    """Hand over the file until no more is wanted, again and again if it is to be repeated."""
    try:
        is_first = True
        while _feed_pass(replay, sink, with_times=with_times, is_first=is_first):
            is_first = False
    except ClusterError as error:
        sink.replay_fail(error.message)
    except RuntimeError as error:
        # The load client refuses a row, and says which.
        sink.replay_fail(f"{replay.file}: {error}")
    except Exception as error:
        # Whatever it is, the level must end and say so, not wait for orders.
        sink.replay_fail(f"{replay.file}: {type(error).__name__}: {error}")
        raise


def _feed_pass(replay: Replay, sink: RowSink, *, with_times: bool, is_first: bool) -> bool:
    for rows in read_rows(replay, with_times=with_times):
        # A later pass names the same symbols in the same order.
        if not hand_over(rows, sink, with_symbols=is_first):
            return False
    return sink.replay_end_pass(replay.repeat) and replay.repeat


def hand_over(rows: Rows, sink: RowSink, *, with_symbols: bool = True) -> bool:
    """Give the sink some rows."""
    return sink.replay_feed(
        new_symbols=rows.new_symbols if with_symbols else [],
        new_numbers=rows.new_numbers if with_symbols else [],
        time_ns=rows.time_ns,
        symbol=rows.symbol,
        price_ticks=rows.price_ticks,
        quantity=rows.quantity,
        action=rows.action,
        kind=rows.kind,
        side=rows.side,
        id_offsets=rows.id.offsets,
        id_bytes=rows.id.data,
        reference_offsets=rows.reference.offsets,
        reference_bytes=rows.reference.data,
    )


@dataclass
class FirstRows:
    """The first rows of a file, on their way to a sink that follows the orders' lives."""

    rows: int = 0
    symbols: int = 0
    first_ns: int = 0
    last_ns: int = 0

    def hand_over(self, replay: Replay, sink: RowSink, *, with_times: bool) -> None:
        """Give the sink the file's first rows, and then its end.

        Raises:
            ReplayError: they can't be read.
        """
        for rows in read_rows(replay, with_times=with_times):
            kept = rows.first(LOOK_ROWS - self.rows)
            if not self.rows:
                self.first_ns = int(kept.time_ns[0])
            self.last_ns = int(kept.time_ns[-1])
            self.rows += len(kept)
            self.symbols += len(kept.new_symbols)
            try:
                hand_over(kept, sink)
            except RuntimeError as refused:
                raise ReplayError(f"{replay.file}: {refused}") from refused
            if self.rows >= LOOK_ROWS:
                break
        sink.replay_end_pass(False)  # noqa: FBT003

    def look(self, replay: Replay, unknown_references: int) -> FileLook:
        """What they say, with what the file says of itself."""
        extent = extent_of(replay)
        rows, first_ns, last_ns = self.rows, self.first_ns, self.last_ns
        if extent is not None and extent.first_ns is not None and extent.last_ns is not None:
            rows, first_ns, last_ns = extent.rows, extent.first_ns, extent.last_ns
        span_s = (last_ns - first_ns) / NS_PER_S
        return FileLook(
            rows=self.rows,
            symbols=self.symbols,
            unknown_references=unknown_references,
            rate_per_s=(rows - 1) / span_s if span_s > 0 else None,
            whole_rows=extent.rows if extent else None,
        )
