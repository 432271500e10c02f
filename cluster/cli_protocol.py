"""The verbs about protocols: `loadcluster protocol …`."""

import json
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

import click

from cluster.errors import ConfigError, Problem
from cluster.experiment.target import addresses_of, refusal
from cluster.protocol.builtin import (
    builtin_names,
    builtin_path,
    read_schema,
    schema_path,
    unknown_protocol,
)
from cluster.protocol.compile import Compiled, compile_schema
from cluster.protocol.summary import as_data, as_text
from cluster.protocol.try_out import TryOut, connected
from cluster.report.foreign import visible

OK, FAILED, WRONG_INPUT = 0, 1, 2
PORT_MAX = 65_535


class Endpoint(click.ParamType[tuple[str, int]]):
    """HOST:PORT, with brackets around an IPv6 address."""

    name = "HOST:PORT"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, int]:
        """The two parts."""
        host, colon, port = str(value).rpartition(":")
        if not colon or not host or not port.isdigit() or not 0 < int(port) <= PORT_MAX:
            self.fail(f"`{value}` is not HOST:PORT, such as 127.0.0.1:9001", param, ctx)
        return host.strip("[]"), int(port)


@click.group()
def protocol() -> None:
    """Look at wire schemas: how orders and replies are written for an engine."""


@protocol.command()
@click.argument("schema", metavar="FILE")
@click.option(
    "--against",
    type=Endpoint(),
    help="Log on there, send one order, cancel it, and show what went both ways.",
)
@click.option(
    "--i-am-authorized-to-load",
    "authorized",
    is_flag=True,
    help="The owner of that address consents; needed outside private networks.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the result for machines.")
def check(schema: str, against: tuple[str, int] | None, *, authorized: bool, as_json: bool) -> None:
    r"""Check a wire schema (a file, or a builtin name) and show every message byte by byte.

    \b
    Example: loadcluster protocol check my-engine.yaml --against 127.0.0.1:9001

    \b
    Exit status: 0 right, 1 the engine does not speak it, 2 wrong; each mistake has its line.
    """
    try:
        compiled = _compile(schema)
    except ConfigError as error:
        if not as_json:
            raise
        problems = [asdict(problem) for problem in error.problems]
        click.echo(json.dumps({"ok": False, "problems": problems}, indent=2, ensure_ascii=False))
        sys.exit(WRONG_INPUT)
    if against is not None:
        addresses = _permitted(against[0], authorized=authorized)
        _try_out(compiled, against, addresses, as_json=as_json)
    elif as_json:
        click.echo(json.dumps(as_data(compiled), indent=2, ensure_ascii=False))
    else:
        plan = compiled.plan
        click.echo("\n".join(as_text(compiled)))
        click.echo(f"\nok: {len(plan.messages)} requests, {len(plan.replies)} replies")


@protocol.command("list")
def list_() -> None:
    r"""List the protocols that come with loadcluster.

    \b
    Example: loadcluster protocol list
    """
    names = builtin_names()
    width = max(len(name) for name in names)
    for name in names:
        schema = read_schema(builtin_path(name)).content
        about = (schema.about or "").strip().partition("\n")[0]
        click.echo(f"{name:<{width}}  {schema.title}" + (f": {about}" if about else ""))


@protocol.command()
@click.argument("name")
def show(name: str) -> None:
    r"""Print the file of a builtin protocol, to start one's own from.

    \b
    Example: loadcluster protocol show orderwire > my-engine.yaml
    """
    if name not in builtin_names():
        known = ", ".join(f"`{one}`" for one in builtin_names())
        raise ConfigError(
            [Problem(name, None, "", f"is not a builtin protocol; there are {known}")]
        )
    click.echo(builtin_path(name).read_text(encoding="utf-8"), nl=False)


def _compile(schema: str) -> Compiled:
    if not Path(schema).is_file():
        sentence = unknown_protocol(schema)
        if sentence:
            raise ConfigError([Problem(schema, None, "", sentence)])
        return compile_schema(read_schema(schema_path(schema)))
    return compile_schema(read_schema(Path(schema)))


def _permitted(name: str, *, authorized: bool) -> tuple[str, ...]:
    """What `name` stands for. Raises ConfigError when nothing may be sent there."""
    addresses = addresses_of(name)
    why = "can't be resolved here" if not addresses else ""
    if not authorized and (refused := refusal(name, addresses)):
        why = f"{refused}; say so with --i-am-authorized-to-load"
    if why:
        raise ConfigError([Problem("--against", None, name, why)])
    return addresses


def _try_out(
    compiled: Compiled, against: tuple[str, int], addresses: Sequence[str], *, as_json: bool
) -> None:
    lines: list[str] = []
    say = lines.append if as_json else _say
    secrets = _secrets(compiled, os.environ)
    name, port = against
    with connected(name, addresses, port) as transport:
        verdict = TryOut(compiled, transport, secrets, say).carry_out()
    if as_json:
        data = {
            "ok": verdict.ok,
            "troubles": list(verdict.troubles),
            "limits": list(verdict.limits),
            "log": lines,
        }
        click.echo(json.dumps(data, indent=2, ensure_ascii=False))
    elif verdict.ok:
        but = "".join(f"; but {limit}" for limit in verdict.limits)
        click.echo(f"ok: the engine speaks {compiled.title}, as far as one order shows{but}")
    else:
        click.echo("not ok:")
        for trouble in verdict.troubles:
            _say(f"  {trouble}")
    sys.exit(OK if verdict.ok else FAILED)


def _say(line: str) -> None:
    # It quotes the engine, which must not move the cursor.
    click.echo(visible(line))


def _secrets(compiled: Compiled, environment: Mapping[str, str]) -> dict[str, str]:
    missing = [
        Problem(place, None, "", f"the environment variable {name} is not set")
        for name, place in compiled.secrets.items()
        if not environment.get(name) and name not in compiled.defaults
    ]
    if missing:
        raise ConfigError(missing, "credentials come from there, and are never shown")
    return {name: environment.get(name) or compiled.defaults[name] for name in compiled.secrets}
