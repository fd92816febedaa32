"""One timer for very many sessions."""

import math
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.task import Clock

from orbited.wheel import SLOT_SECONDS, TimerWheel


class Waiting:
    """Notes when it fell due, and may do something then."""

    def __init__(self, clock: Clock, then: Callable[["Waiting"], None] | None = None) -> None:
        self.slot = 0
        self.due: list[float] = []
        self._clock = clock
        self._then = then

    def tick(self) -> None:
        self.due.append(self._clock.seconds())
        if self._then is not None:
            self._then(self)


@pytest.fixture
def clock() -> Clock:
    """Time as the test wants it."""
    return Clock()


@pytest.fixture
def wheel(clock: Clock) -> TimerWheel:
    """A wheel on that clock."""
    return TimerWheel(clock)


def test_the_reactor_has_one_timer_and_none_when_nobody_waits(clock, wheel):
    """Whatever is set, put off and cancelled."""
    several = [Waiting(clock) for _ in range(100)]
    for number, waiting in enumerate(several):
        wheel.set(waiting, 1 + number / 10)
        assert len(clock.getDelayedCalls()) == 1
    for waiting in several[:50]:
        wheel.cancel(waiting)
    clock.advance(5.9)
    assert not any(waiting.due for waiting in several)
    clock.pump([0.1] * 60)
    assert [len(waiting.due) for waiting in several] == [0] * 50 + [1] * 50
    assert not clock.getDelayedCalls()
    wheel.set(several[0], 20)
    wheel.cancel(several[0])
    wheel.cancel(several[0])
    assert not clock.getDelayedCalls()


def test_a_new_time_takes_the_place_of_the_old_one(clock, wheel):
    """Earlier or later."""
    for first, second in ((10, 2), (2, 10)):
        waiting, start = Waiting(clock), clock.seconds()
        wheel.set(waiting, start + first)
        wheel.set(waiting, start + second)
        assert wheel.deadline(waiting) == pytest.approx(start + second)
        clock.pump([0.5] * 30)
        assert waiting.due == [start + second]
        assert wheel.deadline(waiting) == math.inf


def test_what_falls_due_may_wait_again_and_cancel_others(clock, wheel):
    """From within its own tick."""
    other = Waiting(clock)

    def again(waiting: Waiting) -> None:
        wheel.set(waiting, clock.seconds() + 1)
        wheel.cancel(other)

    waiting = Waiting(clock, again)
    wheel.set(waiting, 1)
    wheel.set(other, 1.5)
    clock.pump([0.5] * 6)
    assert waiting.due == [1, 2, 3]
    assert other.due == []


def test_one_that_fails_does_not_stop_the_others(clock, wheel, caplog):
    """The log has it."""

    def fail(_: Waiting) -> None:
        raise ValueError("inside")

    for waiting in (bad := Waiting(clock, fail)), (good := Waiting(clock)):
        wheel.set(waiting, 1)
    late = Waiting(clock)
    wheel.set(late, 2)
    clock.pump([1, 1])
    assert (bad.due, good.due, late.due) == ([1], [1], [2])
    assert "ValueError: inside" in caplog.text


@given(st.lists(st.floats(0, 100), max_size=20), st.floats(0, 1000))
def test_nothing_is_early_and_nothing_later_than_a_slot(waits, start):
    """For any times, seen with a clock that moves in small steps."""
    clock = Clock()
    clock.advance(start)
    wheel = TimerWheel(clock)
    several = []
    for wait in waits:
        waiting = Waiting(clock)
        wheel.set(waiting, start + wait)
        several.append((waiting, start + wait))
    while calls := clock.getDelayedCalls():
        clock.advance(max(0.0, calls[0].getTime() - clock.seconds()))
    for waiting, deadline in several:
        assert len(waiting.due) == 1
        assert -1e-6 <= waiting.due[0] - deadline <= SLOT_SECONDS + 1e-6
