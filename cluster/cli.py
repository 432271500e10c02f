"""The command line: arguments in, exit status out. Everything else happens below."""

import json
import os
import sys
from contextlib import redirect_stdout
from pathlib import Path
from shlex import quote
from typing import NoReturn

import click
from rich.console import Console

from cluster import __version__
from cluster.cli_protocol import protocol
from cluster.driver.check import check_experiment
from cluster.driver.run import carry_out
from cluster.errors import ClusterError, ConfigError
from cluster.experiment.model import Experiment
from cluster.experiment.reader import load_experiment
from cluster.experiment.starter import starter_experiment
from cluster.experiment.writer import json_schema
from cluster.fleet.token import make_token, token_path
from cluster.host.reference import reference_engine
from cluster.protocol.model import json_schema as protocol_json_schema
from cluster.report.foreign import visible
from cluster.report.live import LiveView
from cluster.report.render import render_run
from cluster.report.text import print_summary, summary_line
from cluster.results.runs import list_runs
from cluster.results.store import RunDirectory
from cluster.results.summary import Summary

MEASURED, FAILED, WRONG_INPUT, NOT_VALID, INTERRUPTED = 0, 1, 2, 3, 130

# Whether it can be read is found out by reading: click only asks for the real user's rights.
ANY_PATH = click.Path(readable=False, path_type=Path)
EXPERIMENT = click.argument("experiment", type=ANY_PATH)
OVERRIDES = click.option(
    "--set",
    "overrides",
    multiple=True,
    metavar="KEY=VALUE",
    help="Change one key of the file: --set load.timeout_s=5. May be given several times.",
)
OUT = click.option("--out", type=ANY_PATH, help="Where runs are kept; default: as the file says.")
JSON = click.option("--json", "as_json", is_flag=True, help="Print the result for machines.")


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="loadcluster")
def cli() -> None:
    """Find out what a TCP engine can really do, and what holds it back."""


@cli.command()
@EXPERIMENT
@OVERRIDES
@OUT
@JSON
def run(experiment: Path, overrides: tuple[str, ...], out: Path | None, *, as_json: bool) -> None:
    r"""Carry out an experiment: load the engine, profile it, and say what holds it back.

    \b
    Example: loadcluster run configs/quickstart.yaml --set agents.count=4

    \b
    Exit status: 0 measured and valid, 1 failed, 2 wrong input, 3 measured but not valid,
    130 interrupted (what was measured is kept).
    """
    # stdout is for results; Ray tells its own there what happened to its workers.
    with redirect_stdout(sys.stderr), LiveView(Console(stderr=True)) as view:
        outcome = carry_out(_load(experiment, overrides, out), view)
    if as_json:
        click.echo(outcome.summary.model_dump_json(indent=2))
    else:
        print_summary(outcome.summary, outcome.directory.report_path, Console())
    sys.exit(_exit_status(outcome.summary))


@cli.command()
@EXPERIMENT
@OVERRIDES
@JSON
def check(experiment: Path, overrides: tuple[str, ...], *, as_json: bool) -> None:
    r"""Do everything short of load: say what will be measured, and what can't be.

    The engine gets no orders. Load hosts that are not calibrated yet are: 8 s at most.

    \b
    Example: loadcluster check configs/remote-engine.yaml
    """
    with redirect_stdout(sys.stderr):
        result = check_experiment(_load(experiment, overrides, None))
    # Hosts are quoted, which must not move the cursor.
    click.echo(result.model_dump_json(indent=2) if as_json else visible(result.as_text()))
    sys.exit(MEASURED if result.ok else FAILED)


@cli.command(
    context_settings={"ignore_unknown_options": True, "help_option_names": []},
    add_help_option=False,
)
@click.argument("options", nargs=-1, type=click.UNPROCESSED)
def engine(options: tuple[str, ...]) -> NoReturn:
    r"""Start the reference engine, to practise on. `loadcluster engine --help` lists its options.

    \b
    Example: loadcluster engine --port 9001 --threads 2
    """
    path = str(reference_engine())
    os.execv(path, [path, *options])  # noqa: S606  (our own executable, no shell)


@cli.command()
@click.argument("run_directory", metavar="RUN", type=ANY_PATH)
def report(run_directory: Path) -> None:
    r"""Render a run's report again, from its directory.

    \b
    Example: loadcluster report runs/2026-11-23T140502-quickstart
    """
    directory = RunDirectory.open(run_directory)
    render_run(directory)
    print_summary(directory.load_summary(), directory.report_path, Console())


@cli.command()
@click.argument("directory", type=ANY_PATH, default=Path("runs"))
@JSON
def runs(directory: Path, *, as_json: bool) -> None:
    r"""List runs with their verdicts, oldest first.

    \b
    Example: loadcluster runs runs/
    """
    entries = list_runs(directory)
    if as_json:
        lines = [
            {
                "path": str(entry.path),
                "problem": entry.problem or None,
                "valid": entry.summary.valid if entry.summary else None,
                "verdict": entry.summary.verdict.model_dump(mode="json") if entry.summary else None,
            }
            for entry in entries
        ]
        click.echo(json.dumps(lines, indent=2, ensure_ascii=False))
        return
    for entry in entries:
        said = summary_line(entry.summary) if entry.summary else f"not readable: {entry.problem}"
        click.echo(visible(f"{entry.path.name}  {said}"))
    if not entries:
        click.echo(f"no runs in {directory}")


@cli.command()
@click.option("--protocol", "name", default="orderwire", help="What the engine speaks.")
def init(name: str) -> None:
    r"""Print a commented experiment to start from.

    \b
    Example: loadcluster init > my-engine.yaml
    """
    click.echo(starter_experiment(name), nl=False)


cli.add_command(protocol)


@cli.command()
@click.option("--path", type=ANY_PATH, help="Where it is kept; default: where Ray looks for it.")
def token(path: Path | None) -> None:
    r"""Make the token that joins a Ray cluster, for its owner alone; one that is there is kept.

    \b
    Example: loadcluster token
    """
    place = path or token_path()
    made = make_token(place)
    click.echo(f"{'made' if made else 'kept'}: {place}")
    click.echo(
        "It is never printed. Every host of the cluster needs the same file, mode 600, before "
        "`ray start`:\n"
        f"  ssh HOST 'umask 077; mkdir -p ~/.ray; cat > ~/.ray/auth_token' < {quote(str(place))}"
    )


@cli.command()
@click.argument("what", type=click.Choice(["experiment", "protocol"]))
def schema(what: str) -> None:
    r"""Print the JSON Schema of an experiment file or of a wire schema, for editors.

    \b
    Example: loadcluster schema experiment > experiment.schema.json
    """
    documents = {"experiment": json_schema, "protocol": protocol_json_schema}
    click.echo(json.dumps(documents[what](), indent=2, ensure_ascii=False))


def _load(path: Path, overrides: tuple[str, ...], out: Path | None) -> Experiment:
    experiment = load_experiment(path, overrides)
    return experiment.model_copy(update={"output_directory": str(out)}) if out else experiment


def _exit_status(summary: Summary) -> int:
    if summary.interrupted:
        return INTERRUPTED
    return MEASURED if summary.valid else NOT_VALID


def main() -> None:
    """Run the command line; the only place where an error becomes a message."""
    try:
        cli.main(standalone_mode=False)
    except click.ClickException as error:
        error.show()
        sys.exit(WRONG_INPUT)
    except ConfigError as error:
        _complain(error)
        sys.exit(WRONG_INPUT)
    except ClusterError as error:
        _complain(error)
        sys.exit(FAILED)
    except (KeyboardInterrupt, click.Abort):
        click.echo(
            "interrupted; what was measured before, if anything, is in the run directory", err=True
        )
        sys.exit(INTERRUPTED)
    except BrokenPipeError:
        # Whoever read our output has had enough: no message, and no traceback at exit either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(FAILED)


def _complain(error: ClusterError) -> None:
    click.echo(f"error: {visible(error.message)}", err=True)
    if error.hint:
        click.echo(f"  {visible(error.hint)}", err=True)
