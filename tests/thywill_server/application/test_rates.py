"""Rates: bursts up to the count, then evenly; bounded."""

import pytest
from twisted.internet.task import Clock

from thywill_server.application.rates import Rate, RateLimiter


@pytest.mark.parametrize(
    ("text", "count", "seconds"),
    [("5/s", 5, 1), ("30/m", 30, 60), ("100/10m", 100, 600), ("1/h", 1, 3600), ("9/d", 9, 86400)],
)
def test_read(text, count, seconds):
    """A number, a slash, and a time."""
    assert Rate.parse(text) == Rate(count, seconds)


@pytest.mark.parametrize("text", ["", "5", "0/s", "5/", "5/0s", "5/x", "-1/s", "5 /s", "1.5/s", 5])
def test_no_rate(text):
    """Anything else is refused with an example."""
    with pytest.raises(ValueError, match='expected one such as "5/s"'):
        Rate.parse(text)


def test_burst_and_refill():
    """The count at once, then one for each part of the time, and never more than the count."""
    clock = Clock()
    limiter = RateLimiter(10, clock.seconds)
    rate = Rate(2, 10)
    assert [limiter.take("a", rate) for _ in range(3)] == [0, 0, 5]
    clock.advance(4)
    assert limiter.take("a", rate) == pytest.approx(1)
    clock.advance(1)
    assert [limiter.take("a", rate) for _ in range(2)] == [0, 5]
    clock.advance(1000)
    assert [limiter.take("a", rate) for _ in range(3)] == [0, 0, 5]


def test_keys_are_apart_and_bounded():
    """Each key has its own bucket; the one silent for longest is forgotten, and full again."""
    clock = Clock()
    limiter = RateLimiter(2, clock.seconds)
    rate = Rate(1, 10)
    assert limiter.take("a", rate) == 0
    assert limiter.take("b", rate) == 0
    assert limiter.take("a", rate) == 10
    assert limiter.take("c", rate) == 0
    assert len(limiter) == 2
    assert limiter.take("a", rate) == 10
    assert limiter.take("b", rate) == 0
