"""From a run directory to everything that is drawn: the report, flame graphs, exports."""

from cluster.report.flamegraph import flamegraph_html, flamegraph_svg
from cluster.report.html import write_report
from cluster.report.page import ReportInputs
from cluster.report.speedscope import folded_text, speedscope_json
from cluster.results.engine import ProfileWindow
from cluster.results.store import RunDirectory
from cluster.results.summary import Summary


def render_run(directory: RunDirectory) -> None:
    """Draw a run from its files: report.html, and the flame graphs of the deciding level.

    Raises:
        ResultsError: the directory is damaged, or can't be written to.
    """
    summary = directory.load_summary()
    window = _deciding_window(directory, summary)
    if window is not None:
        render_profile(directory, window, summary.name)
        profile = summary.profile.model_copy(update={"artefacts": directory.artefacts()})
        summary = summary.model_copy(update={"profile": profile})
        directory.save_summary(summary)
    write_report(
        directory.report_path,
        ReportInputs(
            summary=summary,
            experiment_yaml=directory.load_experiment(),
            facts=directory.load_facts(),
            events=directory.load_events(),
            folded=window.folded if window else {},
            off_cpu_folded=window.off_cpu_folded if window else {},
        ),
    )


def render_profile(directory: RunDirectory, window: ProfileWindow, name: str) -> None:
    """Write a profile window's stacks in every form: folded, SVG, interactive, speedscope."""
    title = f"{name}, level {window.level + 1}"
    save = directory.save_profile
    if window.folded:
        save("perf.folded", folded_text(window.folded))
        save("flamegraph.svg", flamegraph_svg(window.folded, title=title, unit="samples"))
        save("flamegraph.html", flamegraph_html(window.folded, title=title, unit="samples"))
    if window.off_cpu_folded:
        off_title = f"{title}, off CPU"
        save("offcpu.folded", folded_text(window.off_cpu_folded))
        save("offcpu.svg", flamegraph_svg(window.off_cpu_folded, title=off_title, unit="ns"))
        save("offcpu.html", flamegraph_html(window.off_cpu_folded, title=off_title, unit="ns"))
    profiles = {
        f"on CPU, level {window.level + 1}": (window.folded, "samples"),
        f"off CPU, level {window.level + 1}": (window.off_cpu_folded, "ns"),
    }
    save("speedscope.json", speedscope_json(profiles))


def _deciding_window(directory: RunDirectory, summary: Summary) -> ProfileWindow | None:
    for record in directory.load_levels():
        if record.level.index == summary.profile.level:
            return record.profile
    return None
