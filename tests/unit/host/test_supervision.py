"""The driver's side of the conversation, with a supervisor that says what the test wants."""

import queue

import pytest

from cluster.errors import ConnectionFailed, HostError
from cluster.host.supervision import Supervision

LOST = ConnectionFailed("fake", "the connection was lost")


class Supervisor:
    """A `RunningCommand` whose lines come from a queue; an exception in it is raised."""

    def __init__(self, answers: dict[str, str | Exception] | None = None) -> None:
        self.lines: queue.Queue[str | Exception] = queue.Queue()
        self.heard: list[str] = []
        self.answers = answers or {}
        self.status: int | None = None
        self.deaf = False
        self.stdin_closed = False

    def write(self, data: bytes) -> None:
        if self.deaf:
            raise LOST
        line = data.decode().strip()
        self.heard.append(line)
        name, _, rest = line.partition(" ")
        if name in self.answers:
            answer = self.answers[name]
            self.lines.put(answer.format(*rest.split()) if isinstance(answer, str) else answer)

    def read_line(self, timeout_s: float) -> str | None:
        try:
            line = self.lines.get(timeout=min(timeout_s, 0.01))
        except queue.Empty:
            if self.stdin_closed:
                raise EOFError from None
            return None
        if isinstance(line, Exception):
            raise line
        return line

    def close_stdin(self) -> None:
        self.stdin_closed = True

    def poll(self) -> int | None:
        return self.status

    def wait(self, timeout_s: float) -> int | None:  # noqa: ARG002 - the protocol has it
        return self.status

    def close(self) -> None:
        self.stdin_closed = True


def supervision(supervisor: Supervisor, beat_s: float = 60) -> Supervision:
    return Supervision("fake", "perf", supervisor, beat_s)


def test_an_answer_goes_to_whoever_asked() -> None:
    talk = supervision(Supervisor({"ping": "ack {0} 100 200", "clock": "clock {0} 1 2"}))

    assert ("ack", "1", "100", "200") == talk.ask("ping", "5", timeout_s=5).words
    assert ("clock", "2", "1", "2") == talk.ask("clock", timeout_s=5).words
    talk.close()


def test_an_answer_to_nobody_is_forgotten() -> None:
    supervisor = Supervisor({"ping": "ack {0} 100 200"})
    talk = supervision(supervisor)
    supervisor.lines.put("ack 1 5 6")
    supervisor.lines.put("")
    supervisor.lines.put("nonsense")
    supervisor.lines.put("ready 7 0 0 none")
    talk.ready(5)

    assert ("ack", "1", "100", "200") == talk.ask("ping", timeout_s=5).words
    talk.close()


def test_silence_is_an_error_that_names_how_long() -> None:
    talk = supervision(Supervisor())

    with pytest.raises(HostError, match=r"supervisor of perf did not answer in 0\.05 s"):
        talk.ask("ping", timeout_s=0.05)
    talk.close()


def test_the_end_is_heard_and_nothing_can_be_asked_after_it() -> None:
    supervisor = Supervisor({"stop": "ended 130 stopped"})
    talk = supervision(supervisor)

    assert talk.alive()
    ended = talk.end(3)

    assert ended is not None
    assert ("ended", "130", "stopped") == ended.words
    assert ["stop 3"] == supervisor.heard
    assert not talk.alive()
    with pytest.raises(HostError, match="perf has ended"):
        talk.ask("ping", timeout_s=5)
    talk.close()


def test_the_end_may_be_an_answer() -> None:
    talk = supervision(Supervisor({"ping": "ended 1 exited"}))

    answer = talk.ask("ping", timeout_s=5, end_is_an_answer=True)

    assert ("ended", "1", "exited") == answer.words
    talk.close()


def test_a_lost_connection_is_told_to_everybody() -> None:
    talk = supervision(Supervisor({"ping": LOST}))

    for question in (
        lambda: talk.ask("ping", timeout_s=5),
        talk.alive,
        lambda: talk.end(1),
    ):
        with pytest.raises(ConnectionFailed, match="the connection was lost while perf ran"):
            question()
    talk.close()


def test_a_supervisor_that_falls_silent_was_killed() -> None:
    talk = supervision(Supervisor({"stop": EOFError()}))

    assert talk.end(1) is None
    talk.close()


def test_an_end_told_with_the_last_breath_is_heard_though_nobody_listens_any_more() -> None:
    supervisor = Supervisor()
    supervisor.deaf = True
    talk = supervision(supervisor)
    supervisor.lines.put("ended 0 exited")

    ended = talk.end(1)

    assert ended is not None
    assert "exited" == ended.words[2]
    talk.close()


def test_a_host_without_bash_is_told_as_such() -> None:
    supervisor = Supervisor()
    supervisor.status = 127
    talk = supervision(supervisor)
    supervisor.lines.put(EOFError())

    assert ("missing", "bash") == talk.ready(5).words
    talk.close()


def test_a_supervisor_that_does_not_come_up_is_an_error() -> None:
    supervisor = Supervisor()
    talk = supervision(supervisor)
    supervisor.lines.put(EOFError())

    with pytest.raises(HostError, match="the supervisor of perf did not come up"):
        talk.ready(5)
    talk.close()


def test_the_heartbeat_goes_on_while_nobody_asks() -> None:
    supervisor = Supervisor({"hb": "ready 7 0 0 none"})
    talk = supervision(supervisor, beat_s=0.001)

    talk.ready(5)

    talk.close()
    assert {"hb"} == set(supervisor.heard)


def test_closing_ends_the_supervisors_input() -> None:
    supervisor = Supervisor()

    supervision(supervisor).close()

    assert supervisor.stdin_closed
