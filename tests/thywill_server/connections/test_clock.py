"""A function that is called when it is time."""

import queue

from thywill_server.connections.clock import Clock

SECONDS = 60


def test_called_at_once_and_when_asked():
    """It is called at the start, and earlier than its interval when somebody says so."""
    calls: queue.Queue[int] = queue.Queue()
    clock = Clock(lambda: calls.put(1), 3600)
    clock.start()
    clock.start()
    calls.get(timeout=SECONDS)
    clock.call_within(0.01)
    calls.get(timeout=SECONDS)
    clock.stop()
    clock.join(SECONDS)
    assert calls.empty()


def test_the_function_says_when_next():
    """The seconds that it gives are kept; None is the interval."""
    answers = iter([0.0, 0.01, None])
    calls: queue.Queue[int] = queue.Queue()

    def due():
        calls.put(1)
        return next(answers)

    clock = Clock(due, 3600)
    clock.start()
    for _ in range(3):
        calls.get(timeout=SECONDS)
    clock.stop()
    clock.join(SECONDS)


def test_a_failure_ends_nothing(caplog):
    """A function that raises is logged, and called again."""
    calls: queue.Queue[int] = queue.Queue()

    def fail():
        calls.put(1)
        raise ZeroDivisionError

    clock = Clock(fail, 0.01)
    clock.start()
    for _ in range(2):
        calls.get(timeout=SECONDS)
    clock.stop()
    clock.join(SECONDS)
    assert "could not be looked after" in caplog.text
