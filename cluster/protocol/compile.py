"""From a schema to its plan, or to every mistake at once."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

from cluster.document.path import Path
from cluster.document.reader import Document
from cluster.protocol.frame_rules import frame_of
from cluster.protocol.mistakes import Mistakes
from cluster.protocol.model import KINDS, SIDES, ByKind, Ids, Schema
from cluster.protocol.plan import (
    NATURAL,
    Draw,
    Message,
    NormalDraw,
    SendRule,
    SessionRules,
    TimedMessage,
    UniformDraw,
    WeightedDraw,
    WirePlan,
    ZipfDraw,
)
from cluster.protocol.replies import Replies, tell_unclear
from cluster.protocol.templates import Fits, Templates, Variant, narrowest
from cluster.units import NS_PER_S


@dataclass(frozen=True)
class Compiled:
    """A schema that is right, and what it compiled to."""

    title: str
    plan: WirePlan
    ids: Ids
    limits: Mapping[str, Fits]  # of each source the field that takes least
    secrets: Mapping[str, str]  # environment variables, and the place in the schema that asks
    defaults: Mapping[str, str]  # what stands for those of them that may be unset
    reasons: Mapping[str, str]  # names of the codes in rejections, by their digits or letters


def compile_schema(document: Document[Schema]) -> Compiled:
    """Compile a schema.

    Raises:
        ConfigError: something in it is wrong; `problems` has every mistake that could be told.
    """
    mistakes = Mistakes()
    compiler = _Compiler(document.content, mistakes)
    compiled = compiler.compile(document)
    if mistakes.found:
        raise document.places.error(mistakes.found)
    return compiled


class _Compiler:
    def __init__(self, schema: Schema, mistakes: Mistakes) -> None:
        self._schema = schema
        self._mistakes = mistakes
        self._templates = Templates(schema, mistakes)
        self._replies = Replies(schema, mistakes)
        self._messages: dict[str, Message] = {}

    def compile(self, document: Document[Schema]) -> Compiled:
        schema = self._schema
        sends = self._sends()
        ready = self._replies.ready()
        replies = tuple(one.reply for one in ready)
        frame = frame_of(schema, "replies", replies)
        session = self._session()
        tell_unclear(ready, frame, self._mistakes)
        limits = narrowest(self._templates.fits, NATURAL)
        plan = WirePlan(
            correlation=schema.correlation,
            timed=schema.timed_reply,
            engine_clock=self._engine_clock(),
            frame=frame,
            messages=tuple(self._messages.values()),
            sends=sends,
            replies=replies,
            limits={
                source: (limits[source].low, limits[source].high)
                for source in NATURAL
                if source in limits
            },
            tables=tuple(self._templates.tables.all),
            draws=tuple(_draw(schema, name) for name in schema.draws),
            session=session,
        )
        secrets = {
            name: document.places.place(path) for name, path in self._templates.secrets.items()
        }
        return Compiled(
            schema.title,
            plan,
            schema.ids,
            limits,
            secrets,
            dict(self._templates.defaults),
            dict(self._replies.reasons),
        )

    def _sends(self) -> tuple[SendRule, ...]:
        orders = self._schema.orders
        sends: list[SendRule] = []
        new = orders.new
        by_kind = (
            {kind: getattr(new, kind) for kind in KINDS}
            if isinstance(new, ByKind)
            else dict.fromkeys(KINDS, new)
        )
        wanted: list[tuple[str, str, str, Path]] = []
        for kind, name in by_kind.items():
            path: Path = ("orders", "new", kind) if isinstance(new, ByKind) else ("orders", "new")
            wanted += [("new", kind, name, path)] if name else []
        for action in ("replace", "cancel"):
            name = getattr(orders, action)
            wanted += [(action, "", name, ("orders", action))] if name else []
        asked: dict[str, list[tuple[str, str, str]]] = {}
        for action, kind, name, path in wanted:
            if self._is_request(name, path):
                asked.setdefault(name, []).extend((action, kind, side) for side in SIDES)
        for name, uses in asked.items():
            sends += self._variants(name, uses)
        actions = ("new", "replace", "cancel")
        return tuple(
            sorted(
                sends,
                key=lambda rule: (
                    actions.index(rule.action),
                    KINDS.index(rule.kind) if rule.kind else 0,
                    SIDES.index(rule.side),
                ),
            )
        )

    def _is_request(self, name: str, path: Path) -> bool:
        if name in self._schema.requests:
            return True
        known = ", ".join(f"`{one}`" for one in self._schema.requests)
        self._mistakes.add(path, f"there is no request `{name}`; there are {known}")
        return False

    def _variants(self, name: str, uses: list[tuple[str, str, str]]) -> list[SendRule]:
        """The messages of one request: one for each kind and side that differ."""
        made = {}
        for use in uses:
            _, kind, side = use
            message = self._templates.message(name, Variant(kind or "limit", side))
            if message is not None:
                made[use] = message
        by_kind = _differs(made, 1)
        by_side = _differs(made, 2)
        rules = []
        for (action, kind, side), message in made.items():
            parts = [name]
            parts += [kind or "limit"] if by_kind else []
            parts += [side] if by_side else []
            full = "/".join(parts)
            self._messages[full] = replace(message, name=full)
            rules.append(SendRule(action, kind, side, full))  # type: ignore[arg-type]
        return rules

    def _session_message(self, name: str, path: Path) -> str:
        if self._is_request(name, path) and name not in self._messages:
            message = self._templates.message(name, None)
            if message is not None:
                self._messages[name] = message
        return name

    def _session(self) -> SessionRules:
        session = self._schema.session
        if session is None:
            return SessionRules()
        logon = logout = heartbeat = None
        if session.logon is not None:
            name = self._session_message(session.logon, ("session", "logon"))
            logon = TimedMessage(name, _ns(session.logon_timeout_s))
        if session.heartbeat is not None:
            name = self._session_message(session.heartbeat.send, ("session", "heartbeat", "send"))
            heartbeat = TimedMessage(name, _ns(session.heartbeat.every_s))
        if session.logout is not None:
            name = self._session_message(session.logout, ("session", "logout"))
            logout = TimedMessage(name, _ns(session.logout_timeout_s))
        answers = []
        for reply, request in session.answer.items():
            self._session_message(request, ("session", "answer", reply))
            answers.append((reply, request))
        silence = session.engine_silent_s
        return SessionRules(
            logon=logon,
            heartbeat=heartbeat,
            silence_ns=None if silence is None else _ns(silence),
            answers=tuple(answers),
            logout=logout,
            first_sequence=session.first_sequence,
        )

    def _engine_clock(self) -> Literal["epoch", "midnight"]:
        for name in self._schema.replies:
            for leaf in self._replies.leaves(name):
                if leaf.field.value in ("engine_received", "engine_replied"):
                    return leaf.field.since or "epoch"
        return "epoch"


def _differs(made: Mapping[tuple[str, str, str], Message], position: int) -> bool:
    """Whether messages differ where only this part of what they are made for does."""
    groups: dict[tuple[str, ...], Message] = {}
    for use, message in made.items():
        rest = use[:position] + use[position + 1 :]
        if groups.setdefault(rest, message) != message:
            return True
    return False


def _draw(schema: Schema, name: str) -> Draw:
    draw = schema.draws[name]
    if draw.uniform is not None:
        return UniformDraw(draw.uniform.from_, draw.uniform.to)
    if draw.normal is not None:
        normal = draw.normal
        return NormalDraw(normal.mean, normal.deviation, normal.at_least, normal.at_most)
    if draw.zipf is not None:
        return ZipfDraw(draw.zipf.count, draw.zipf.exponent)
    return WeightedDraw(tuple((draw.choice or {}).values()))


def _ns(seconds: float) -> int:
    return round(seconds * NS_PER_S)
