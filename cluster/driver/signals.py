"""Ctrl-C and SIGTERM mean the same: stop, keep what was measured, leave nothing behind."""

import contextlib
import signal
from collections.abc import Iterator
from types import FrameType

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def _interrupt(number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt(signal.Signals(number).name)


@contextlib.contextmanager
def stop_signals_interrupt() -> Iterator[None]:
    """Turn every polite stop signal into a KeyboardInterrupt of the main thread."""
    before = {number: signal.signal(number, _interrupt) for number in STOP_SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def claim_stop_signals() -> None:
    """Take the handlers back after a library has put in its own (Ray does, for SIGTERM)."""
    for number in STOP_SIGNALS:
        signal.signal(number, _interrupt)


@contextlib.contextmanager
def undisturbed() -> Iterator[None]:
    """Hold stop signals back while what must not be half done is done; they act afterwards.

    Handlers that take note, not a blocked mask: the kernel would give the signal to any other
    thread of the process, and Python would handle it on this one all the same.
    """
    held: list[int] = []
    before = {
        number: signal.signal(number, lambda number, _frame: held.append(number))
        for number in STOP_SIGNALS
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        if held:
            signal.raise_signal(held[0])
