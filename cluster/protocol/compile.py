"""From a schema to its plan, or to every mistake at once."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

from cluster.document.path import Path
from cluster.document.reader import Document
from cluster.protocol.checks import (
    check_fits,
    check_ids,
    check_orders,
    check_replies,
    check_reply_frames,
    check_request_frames,
    check_size,
)
from cluster.protocol.envelope import Direction, is_tagged
from cluster.protocol.expand import Expander, Leaf
from cluster.protocol.field import ByteOrder
from cluster.protocol.frame_rules import frame_of
from cluster.protocol.layout import Layout
from cluster.protocol.mistakes import Mistakes
from cluster.protocol.model import KINDS, SIDES, ByKind, Ids, Schema
from cluster.protocol.plan import (
    NATURAL,
    Draw,
    Message,
    NormalDraw,
    Reply,
    SendRule,
    SessionRules,
    TimedMessage,
    UniformDraw,
    WeightedDraw,
    WirePlan,
    ZipfDraw,
)
from cluster.protocol.plan_text import write_plan
from cluster.protocol.replies import Placed, ReadyReply, Replies, tell_unclear
from cluster.protocol.rules import FieldRules
from cluster.protocol.templates import Fits, Templates, Variant, narrowest
from cluster.units import NS_PER_S

Use = tuple[str, str, str]  # action, kind (empty but for new), side


@dataclass(frozen=True)
class Compiled:
    """A schema that is right, and what it compiled to."""

    title: str
    plan: WirePlan
    byte_order: ByteOrder
    ids: Ids
    limits: Mapping[str, Fits]  # of each source the field that takes least
    secrets: Mapping[str, str]  # environment variables, and the place in the schema that asks
    defaults: Mapping[str, str]  # what stands for those of them that may be unset
    layouts: Mapping[str, Layout]  # of the plan's messages, for people to look at
    placed: Mapping[str, list[Placed]]  # of the schema's replies, likewise
    reasons: Mapping[str, str]  # names of the codes in rejections, by their digits or letters
    refusals: Mapping[str, str]  # the same of what refuses or ends a session


def compile_schema(document: Document[Schema], replayed_symbols: int | None = None) -> Compiled:
    """Compile a schema.

    Args:
        document: The schema.
        replayed_symbols: Orders come from a file of at most so many symbols: where the schema has
            a symbol as text, the file's texts are written. None: orders are made.

    Raises:
        ConfigError: something in it is wrong; `problems` has every mistake that could be told.
    """
    mistakes = Mistakes()
    compiler = _Compiler(document.content, mistakes, replayed_symbols)
    compiled = compiler.compile(document)
    if mistakes.found:
        raise document.places.error(mistakes.found)
    return compiled


class _Compiler:
    def __init__(self, schema: Schema, mistakes: Mistakes, replayed_symbols: int | None) -> None:
        self._schema = schema
        self._mistakes = mistakes
        self._templates = Templates(schema, mistakes, replayed_symbols)
        self._replies = Replies(schema, mistakes)
        self._messages: dict[str, Message] = {}
        self._layouts: dict[str, Layout] = {}
        self._ready: list[ReadyReply] = []

    def compile(self, document: Document[Schema]) -> Compiled:
        schema, mistakes = self._schema, self._mistakes
        asked = self._asked()
        self._check_fields(asked)
        sends = self._sends(asked)
        ready = self._ready = self._replies.ready()
        session = self._session()
        replies = tuple(one.reply for one in ready)
        frame = frame_of(schema, "replies", max((one.length for one in replies), default=1))
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
            symbol_names=self._symbol_names(),
            draws=tuple(_draw(schema, name) for name in schema.draws),
            session=session,
        )
        tell_unclear(ready, frame, mistakes)
        check_reply_frames(frame, ready, mistakes)
        check_fits(schema, plan.draws, self._templates.fits, mistakes)
        check_ids(schema, limits, mistakes)
        longest = max((_length(message) for message in plan.messages), default=1)
        check_request_frames(plan, frame_of(schema, "requests", longest), plan.messages, mistakes)
        check_size(plan, write_plan(plan), mistakes)
        secrets = {
            name: document.places.place(path) for name, path in self._templates.secrets.items()
        }
        return Compiled(
            schema.title,
            plan,
            schema.byte_order,
            schema.ids,
            limits,
            secrets,
            dict(self._templates.defaults),
            self._layouts,
            self._replies.placed,
            dict(self._replies.reasons),
            dict(self._replies.refusals),
        )

    def _check_fields(self, asked: Mapping[str, list[Use]]) -> None:
        """Everything that can be said of fields one by one, and of messages by their fields."""
        schema, mistakes = self._schema, self._mistakes
        expander = Expander(schema.parts, mistakes)
        for part, fields in schema.parts.items():
            expander.leaves(fields, ("parts", part))
        requests = {name: self._templates.leaves(name) for name in schema.requests}
        replies = {name: self._replies.leaves(name) for name in schema.replies}
        directions: tuple[tuple[Direction, Mapping[str, list[Leaf]]], ...] = (
            ("requests", requests),
            ("replies", replies),
        )
        for direction, messages in directions:
            rules = FieldRules(schema, direction, mistakes)
            tagged = is_tagged(schema, direction)
            for leaves in messages.values():
                for leaf in leaves:
                    rules.check(leaf, tagged=tagged)
        uses = {name: {action for action, _, _ in one} for name, one in asked.items()}
        for name, _ in self._session_requests():
            if name in schema.requests:
                uses.setdefault(name, set()).add("session")
        for name in schema.requests.keys() - uses.keys():
            # Made all the same, so that what else is wrong with it is told.
            self._templates.message(name, Variant("limit", "buy"))
            mistakes.add(
                ("requests", name), "is never sent: neither `orders` nor `session` names it"
            )
        check_orders(schema, uses, requests, mistakes)
        check_replies(schema, replies, mistakes)

    def _asked(self) -> dict[str, list[Use]]:
        """By request, what it is sent for."""
        orders = self._schema.orders
        new = orders.new
        wanted: list[tuple[str, str, str, Path]] = []
        for kind in KINDS:
            name = getattr(new, kind) if isinstance(new, ByKind) else new
            path: Path = ("orders", "new", kind) if isinstance(new, ByKind) else ("orders", "new")
            wanted += [("new", kind, name, path)] if name else []
        for action in ("replace", "cancel"):
            name = getattr(orders, action)
            wanted += [(action, "", name, ("orders", action))] if name else []
        asked: dict[str, list[Use]] = {}
        for action, kind, name, path in wanted:
            if self._is_request(name, path):
                asked.setdefault(name, []).extend((action, kind, side) for side in SIDES)
        return asked

    def _sends(self, asked: Mapping[str, list[Use]]) -> tuple[SendRule, ...]:
        sends = [rule for name, uses in asked.items() for rule in self._variants(name, uses)]
        actions = ("new", "replace", "cancel")

        def place(rule: SendRule) -> tuple[int, int, int]:
            kind = KINDS.index(rule.kind) if rule.kind else 0
            return actions.index(rule.action), kind, SIDES.index(rule.side)

        return tuple(sorted(sends, key=place))

    def _is_request(self, name: str, path: Path) -> bool:
        if name in self._schema.requests:
            return True
        known = ", ".join(f"`{one}`" for one in self._schema.requests)
        self._mistakes.add(path, f"there is no request `{name}`; there are {known}")
        return False

    def _variants(self, name: str, uses: list[Use]) -> list[SendRule]:
        """The messages of one request: one for each kind and side that differ."""
        made: dict[Use, Message] = {}
        layouts: dict[Use, Layout] = {}
        for use in uses:
            _, kind, side = use
            message = self._templates.message(name, Variant(kind or "limit", side))
            if message is not None:
                made[use] = message
                layouts[use] = self._templates.layouts[name]
        by_kind = _differs(made, 1)
        by_side = _differs(made, 2)
        rules = []
        for (action, kind, side), message in made.items():
            parts = [name]
            parts += [kind or "limit"] if by_kind else []
            parts += [side] if by_side else []
            full = "/".join(parts)
            self._messages[full] = replace(message, name=full)
            self._layouts[full] = layouts[action, kind, side]
            rules.append(SendRule(action, kind, side, full))  # type: ignore[arg-type]
        return rules

    def _session_requests(self) -> list[tuple[str, Path]]:
        """The requests that the session sends, and where it says so."""
        session = self._schema.session
        if session is None:
            return []
        heartbeat = session.heartbeat
        named: list[tuple[str | None, Path]] = [
            (session.logon, ("session", "logon")),
            (heartbeat.send if heartbeat else None, ("session", "heartbeat", "send")),
            (session.logout, ("session", "logout")),
        ]
        named += [(name, ("session", "answer", reply)) for reply, name in session.answer.items()]
        return [(name, path) for name, path in named if name is not None]

    def _session(self) -> SessionRules:
        session = self._schema.session
        if session is None:
            return SessionRules()
        for name, path in self._session_requests():
            if self._is_request(name, path) and name not in self._messages:
                message = self._templates.message(name, None)
                if message is not None:
                    self._messages[name] = message
                    self._layouts[name] = self._templates.layouts[name]
        heartbeat, silence = session.heartbeat, session.engine_silent_s
        return SessionRules(
            logon=_timed(session.logon, session.logon_timeout_s),
            heartbeat=_timed(heartbeat.send, heartbeat.every_s) if heartbeat else None,
            silence_ns=None if silence is None else _ns(silence),
            answers=tuple(
                (reply.name, session.answer[written])
                for written in session.answer
                for reply in self._named(written)
            ),
            logout=_timed(session.logout, session.logout_timeout_s),
            first_sequence=session.first_sequence,
        )

    def _symbol_names(self) -> tuple[str, ...]:
        """What the symbols of a file must be; made orders name them by number anyway."""
        symbols = self._schema.symbols
        if self._templates.replayed_symbols is None or symbols is None:
            return ()
        return tuple(symbols.names or ())

    def _named(self, written: str) -> list[Reply]:
        """The replies of the plan that one of the schema became."""
        return [one.reply for one in self._ready if one.path == ("replies", written)]

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


def _timed(name: str | None, seconds: float) -> TimedMessage | None:
    return None if name is None else TimedMessage(name, _ns(seconds))


def _length(message: Message) -> int:
    return sum(len(chunk.template) for chunk in message.chunks)


def _ns(seconds: float) -> int:
    return round(seconds * NS_PER_S)
