"""report.html: one file that loads nothing. The only module that imports jinja2."""

from pathlib import Path
from typing import Final

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from cluster.errors import ResultsError
from cluster.report.charts import (
    Figure,
    budget_figure,
    curve_figure,
    parts_figure,
    plotly_script,
    response_figure,
    throughput_figure,
    time_line_figure,
)
from cluster.report.flamegraph import (
    asset,
    flamegraph_fragment,
    flamegraph_script,
    flamegraph_style,
    script_json,
)
from cluster.report.foreign import visible
from cluster.report.glossary import GLOSSARY
from cluster.report.page import Page, ReportInputs, build_page

SECTIONS: Final = (
    "Verdict",
    "Findings",
    "Throughput",
    "Response time",
    "Percentile curve",
    "Parts of the response time",
    "Latency budget",
    "Time line",
    "Uncertainty",
    "Steady state",
    "Clients",
    "Books",
    "Profile",
    "Hardware counters",
    "Memory",
    "Threads",
    "Agents",
    "Hosts",
    "Method",
    "Experiment",
    "Glossary",
)


def write_report(path: Path, inputs: ReportInputs) -> None:
    """Write the report of a run.

    Raises:
        ResultsError: the file could not be written.
    """
    # Names that were not UTF-8 on their host hold surrogates, which no file can.
    content = render_report(inputs).encode(errors="replace")
    partial = path.with_name(path.name + ".partial")
    try:
        partial.write_bytes(content)
        partial.replace(path)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise ResultsError(
            f"the report could not be written to {path}: {error.strerror}",
            "make room or choose another directory, then run `loadcluster report`",
        ) from error


def render_report(inputs: ReportInputs) -> str:
    """The report as one HTML page."""
    page = build_page(inputs)
    environment = Environment(
        loader=PackageLoader("cluster.report"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_shown,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["anchor"] = anchor
    environment.filters["breakable"] = breakable
    environment.filters["marked"] = marked
    # Markup marks what our own modules wrote or escaped; everything else is escaped by jinja2.
    return environment.get_template("report.html").render(
        page=page,
        summary=page.summary,
        verdict=page.summary.verdict,
        sections=SECTIONS,
        glossary=GLOSSARY,
        style=Markup(asset("report.css") + flamegraph_style()),  # noqa: S704 - our own files
        figures=Markup(script_json(_figures(page))),  # noqa: S704 - escaped for script elements
        plotly=Markup(plotly_script()),  # noqa: S704 - the package's own file
        script=Markup(flamegraph_script() + asset("report.js")),  # noqa: S704 - our own files
        on_cpu=Markup(  # noqa: S704 - escapes names itself
            flamegraph_fragment(page.folded, label="On-CPU flame graph", unit="samples")
        ),
        off_cpu=Markup(  # noqa: S704 - escapes names itself
            flamegraph_fragment(page.off_cpu_folded, label="Off-CPU flame graph", unit="ns")
        ),
    )


def _figures(page: Page) -> dict[str, Figure]:
    levels = page.summary.levels
    figures = {
        "throughput": throughput_figure(levels),
        "response": response_figure(levels),
        "curve": curve_figure(levels),
        "parts": parts_figure(levels),
        "budget": budget_figure(levels),
        "time-line": time_line_figure(page.time_line),
    }
    return {chart.key: figures[chart.key] for chart in page.charts if not chart.is_empty}


def anchor(heading: str) -> str:
    """The address of a section within the page."""
    return heading.lower().replace(" ", "-")


def _shown(value: object) -> object:
    """What a template prints: text that others wrote must not turn the reading order."""
    return visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def marked(text: str) -> Markup:
    """Escaped text in which `words between backticks` are set as code."""
    return Markup("").join(
        Markup("<code>{}</code>").format(part) if i % 2 else escape(part)
        for i, part in enumerate(_paired_backticks(visible(text)))
    )


def _paired_backticks(text: str) -> list[str]:
    parts = text.split("`")
    if len(parts) % 2 == 0:  # the last backtick has no partner: it is only a character
        parts[-2:] = ["`".join(parts[-2:])]
    return parts


def breakable(text: str) -> Markup:
    """Escaped text in which a long C++ name may break behind each `::`."""
    return escape(visible(text)).replace("::", Markup("::<wbr>"))
