"""What was looked for on the hosts when the run was over, and what was found."""

from collections.abc import Sequence

from cluster.report.cells import Table, columns, words
from cluster.results.left_behind import LeftBehind

NOTHING = "nothing"


def left_behind_result(records: Sequence[LeftBehind]) -> str:
    """Whether anything was left behind, in one sentence."""
    if not records:
        return "nobody looked whether anything was left behind"
    hosts = ", ".join(record.host for record in records[:4])
    if len(records) > 4:  # noqa: PLR2004 - hosts that a line has room for
        hosts += f" and {len(records) - 4:,} more hosts"
    with_remains = [record.host for record in records if record.found]
    unknown = [record.host for record in records if record.not_looked]
    said = []
    if with_remains:
        said.append(f"something was left behind on {', '.join(with_remains)}")
    if unknown:
        said.append(f"on {', '.join(unknown)} not everything could be looked for")
    if not said:
        said.append("nothing was left behind")
    return f"{'; '.join(said)} (looked at {hosts})"


def left_behind_table(records: Sequence[LeftBehind]) -> Table:
    """Host by host."""
    names = ("Host", "Looked for", "Left behind")
    rows = tuple(
        (
            words(record.host),
            words(", ".join(record.looked_for)),
            words(_found(record), "bad" if record.found or record.not_looked else ""),
        )
        for record in records
    )
    return Table(columns(names, words=names), rows)


def _found(record: LeftBehind) -> str:
    unknown = [f"not known: {record.not_looked}"] if record.not_looked else []
    return "; ".join([*record.found, *unknown]) or NOTHING
