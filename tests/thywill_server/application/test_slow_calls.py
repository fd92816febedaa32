"""Functions that take long are named: while they run, and when they are done."""

import logging
import threading

import pytest
from twisted.internet.task import Clock

from thywill_server.application.slow_calls import SlowCalls

NAME = f"{__name__}.handler"


def handler():
    """Stands for an application's function."""


@pytest.fixture
def clock():
    """A clock that stands still until told."""
    return Clock()


@pytest.fixture
def calls(clock):
    """Looks when told, since the thread's own look is a day away."""
    calls = SlowCalls(86_400, clock.seconds)
    yield calls
    calls.stop()


def test_quick_ones_are_not_named(calls, clock, caplog):
    """In time is in time."""
    with calls.watching(handler):
        clock.advance(86_400)
        assert calls.look()
    assert not calls.look()
    assert not caplog.records


def test_named_at_the_end(calls, clock, caplog):
    """With the time it took."""
    with calls.watching(handler):
        clock.advance(86_401)
    assert caplog.record_tuples == [
        ("thywill_server.application.slow_calls", logging.WARNING, f"{NAME} took 86401.0 s")
    ]


def test_named_while_it_runs_once(calls, clock, caplog):
    """A function that hangs is named though it never ends; and once, however long it hangs."""
    with calls.watching(handler):
        clock.advance(100_000)
        calls.look()
        calls.look()
        assert caplog.messages == [f"{NAME} is running for 100000.0 s already"]


def test_named_though_it_fails(calls, clock, caplog):
    """An exception goes through."""

    def fail():
        with calls.watching(handler):
            clock.advance(100_000)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert caplog.messages == [f"{NAME} took 100000.0 s"]


def test_a_thread_looks(caplog):
    """By itself, while something runs; it ends after a while of nothing."""
    calls = SlowCalls(0.001)
    is_named = threading.Event()

    class Listener(logging.Handler):
        """Hears the warning."""

        def emit(self, record):
            is_named.set()

    logger = logging.getLogger("thywill_server.application.slow_calls")
    listener = Listener()
    logger.addHandler(listener)
    try:
        with calls.watching(handler):
            assert is_named.wait(60)
            thread = next(
                thread for thread in threading.enumerate() if thread.name == "thywill-slow-calls"
            )
        thread.join(60)
        assert not thread.is_alive()
        with calls.watching(handler):
            pass
    finally:
        logger.removeHandler(listener)
        calls.stop()
