"""over_time.npz of a level: slots, activity and jitter of every agent, as numpy's arrays.

One array per quantity and agent, named `agent/quantity`; histograms as three: the second of each
bucket, the bucket, its count.
"""

import io
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from cluster.errors import ResultsError
from cluster.results.agent import AgentResult, Jitter
from cluster.results.histogram import Histogram
from cluster.results.over_time import COARSE_LEN, SLOTS_PER_S, Activity, Counts, Slots

Arrays = Mapping[str, NDArray[np.int64]]

_GAPS: Final = ("poll_gap", "kernel_send", "kernel_receive")
_JITTER: Final = ("before", "during")


def over_time_bytes(agents: Sequence[AgentResult]) -> bytes:
    """What goes into the file."""
    arrays = {
        f"{agent.agent}/{name}": array for agent in agents for name, array in _arrays_of(agent)
    }
    file = io.BytesIO()
    np.savez_compressed(file, allow_pickle=False, **arrays)
    return file.getvalue()


def with_over_time(agents: Sequence[AgentResult], data: bytes, name: str) -> list[AgentResult]:
    """The agents with what the file holds of each.

    Raises:
        ResultsError: the file is damaged.
    """
    try:
        with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
            return [_with_arrays(agent, arrays) for agent in agents]
    except (KeyError, ValueError, IndexError, EOFError, OSError, zipfile.BadZipFile) as error:
        raise ResultsError(f"{name} is damaged: {error}") from error


def _arrays_of(agent: AgentResult) -> Iterator[tuple[str, Counts]]:
    slots = [interval.slots for interval in agent.intervals]
    yield "slots/due", _stacked([s.due for s in slots], SLOTS_PER_S)
    yield "slots/response_sum_ns", _stacked([s.response_sum_ns for s in slots], SLOTS_PER_S)
    response = _stacked([s.response.ravel() for s in slots], SLOTS_PER_S * COARSE_LEN)
    yield from _sparse("slots/response", response)

    activity = agent.activity
    yield "activity/index", np.array([a.index for a in activity], np.int64)
    yield "activity/sent_per_ms", _stacked([a.sent_per_ms for a in activity], 1000)
    in_flight = [a.in_flight_order_ns for a in activity]
    yield "activity/in_flight_order_ns", _stacked(in_flight, SLOTS_PER_S)
    yield "activity/sample_cut", np.array([a.sample_cut for a in activity], np.int64)
    samples = [a.send_sample_ns for a in activity]
    yield "activity/samples", np.array([len(sample) for sample in samples], np.int64)
    yield "activity/send_sample_ns", np.concatenate([np.zeros(0, np.int64), *samples])
    for gap in _GAPS:
        yield from _histograms(f"activity/{gap}", [getattr(a, gap) for a in activity])
    if agent.jitter is not None:
        jitter = [getattr(agent.jitter, name) for name in _JITTER]
        yield from _histograms("jitter", jitter)


def _stacked(rows: Sequence[Counts], width: int) -> Counts:
    return np.array(rows, np.int64).reshape(len(rows), width)


def _sparse(name: str, dense: Counts) -> Iterator[tuple[str, Counts]]:
    rows, places = np.nonzero(dense)
    yield f"{name}/row", rows
    yield f"{name}/place", places
    yield f"{name}/count", dense[rows, places]


def _histograms(name: str, histograms: Sequence[Histogram]) -> Iterator[tuple[str, Counts]]:
    none = np.zeros(0, np.int64)
    rows = [np.full(len(h.indices), row, np.int64) for row, h in enumerate(histograms)]
    yield f"{name}/row", np.concatenate([none, *rows])
    yield f"{name}/place", np.concatenate([none, *(h.indices for h in histograms)])
    yield f"{name}/count", np.concatenate([none, *(h.counts for h in histograms)])


def _with_arrays(agent: AgentResult, arrays: Arrays) -> AgentResult:
    mine = {
        name.removeprefix(f"{agent.agent}/"): arrays[name]
        for name in arrays
        if name.startswith(f"{agent.agent}/")
    }
    slots = _read_slots(mine, len(agent.intervals))
    return replace(
        agent,
        intervals=tuple(
            replace(interval, slots=own)
            for interval, own in zip(agent.intervals, slots, strict=True)
        ),
        activity=_read_activity(mine),
        jitter=Jitter(*_read_histograms(mine, "jitter", 2)) if "jitter/row" in mine else None,
    )


def _read_slots(arrays: Arrays, seconds: int) -> list[Slots]:
    response = np.zeros((seconds, SLOTS_PER_S * COARSE_LEN), np.int64)
    rows, places = arrays["slots/response/row"], arrays["slots/response/place"]
    response[rows, places] = arrays["slots/response/count"]
    due, sums = arrays["slots/due"], arrays["slots/response_sum_ns"]
    return [
        Slots(due[row], response[row].reshape(SLOTS_PER_S, COARSE_LEN), sums[row])
        for row in range(seconds)
    ]


def _read_activity(arrays: Arrays) -> tuple[Activity, ...]:
    index = arrays["activity/index"]
    ends = np.cumsum(arrays["activity/samples"])
    samples = np.split(arrays["activity/send_sample_ns"], ends[:-1]) if len(index) else []
    gaps = {name: _read_histograms(arrays, f"activity/{name}", len(index)) for name in _GAPS}
    return tuple(
        Activity(
            int(index[row]),
            arrays["activity/sent_per_ms"][row],
            arrays["activity/in_flight_order_ns"][row],
            samples[row],
            sample_cut=bool(arrays["activity/sample_cut"][row]),
            **{name: gaps[name][row] for name in _GAPS},
        )
        for row in range(len(index))
    )


def _read_histograms(arrays: Arrays, name: str, rows: int) -> list[Histogram]:
    row, place, count = (arrays[f"{name}/{part}"] for part in ("row", "place", "count"))
    return [Histogram.from_sparse(place[row == n], count[row == n]) for n in range(rows)]
