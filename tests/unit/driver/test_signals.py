import signal
import threading
from contextlib import ExitStack

import pytest

from cluster.driver.signals import stop_signals_interrupt, undisturbed


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_every_polite_signal_is_an_interruption_that_tells_its_name(number):
    with stop_signals_interrupt(), pytest.raises(KeyboardInterrupt, match=number.name):
        signal.raise_signal(number)


def test_handlers_are_put_back():
    before = signal.getsignal(signal.SIGTERM)

    with stop_signals_interrupt(), undisturbed():
        pass

    assert before == signal.getsignal(signal.SIGTERM)


def send_interrupt() -> None:
    signal.raise_signal(signal.SIGINT)


def send_interrupt_in_another_thread() -> None:
    thread = threading.Thread(target=send_interrupt)
    thread.start()
    thread.join()


@pytest.mark.parametrize("send", [send_interrupt, send_interrupt_in_another_thread])
def test_what_must_not_be_half_done_is_done_before_the_signal_acts(send):
    done = []

    def do() -> None:
        with undisturbed():
            send()
            done.append("whole")
        done.append("afterwards")

    with stop_signals_interrupt(), pytest.raises(KeyboardInterrupt, match="SIGINT"):
        do()

    assert ["whole"] == done


def test_a_held_signal_acts_where_it_is_let_go():
    with stop_signals_interrupt(), ExitStack() as held:
        held.enter_context(undisturbed())
        signal.raise_signal(signal.SIGINT)
        with pytest.raises(KeyboardInterrupt, match="SIGINT"):
            held.close()
