"""Calls that wait for a reply from another process."""

import threading

import pytest

from thywill_server.application.remote_stomp.calls import Calls
from thywill_server.errors import Refusal


class Clock:
    """Seconds, by hand."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_reply_reaches_its_own_call() -> None:
    """Whatever the order in which replies come, and however long one is waited for."""
    calls = Calls(30, 10)
    first, second = calls.begin("a"), calls.begin("a")
    thread = threading.Thread(target=lambda: calls.answer(first.correlation_id, b"1"))
    assert calls.answer(second.correlation_id, b"2")
    thread.start()
    assert calls.wait("a", first) == b"1"
    assert calls.wait("a", second) == b"2"
    thread.join()


def test_a_reply_counts_once() -> None:
    """A second one, one of nobody's, and one that comes too late find no call."""
    calls = Calls(0.001, 10)
    call = calls.begin("a")
    assert calls.answer(call.correlation_id, b"1")
    assert not calls.answer(call.correlation_id, b"2")
    assert not calls.answer("unknown", b"3")
    assert calls.wait("a", call) == b"1"
    late = calls.begin("a")
    with pytest.raises(Refusal) as raised:
        calls.wait("a", late)
    assert (raised.value.code, raised.value.status) == ("application-timeout", 504)
    assert not raised.value.may_retry
    assert not calls.answer(late.correlation_id, b"4")


def test_an_application_that_is_away_gets_few() -> None:
    """After so many without an answer one is let through from time to time; others are served."""
    clock = Clock()
    calls = Calls(5, 3, clock)
    for _ in range(3):
        calls.count("a")
    assert calls.silent() == ["a"]
    with pytest.raises(Refusal) as raised:
        calls.begin("a")
    assert (raised.value.code, raised.value.status) == ("application-unavailable", 503)
    assert raised.value.may_retry
    calls.begin("b")
    clock.now += 5
    probe = calls.begin("a")
    with pytest.raises(Refusal):
        calls.begin("a")
    calls.answer(probe.correlation_id, b"back")
    assert calls.wait("a", probe) == b"back"
    assert calls.silent() == []
    for _ in range(3):
        calls.count("a")


def test_the_end_ends_all() -> None:
    """A site that stops lets nobody wait until the time is over."""
    calls = Calls(60, 10)
    call = calls.begin("a")
    calls.give_up()
    with pytest.raises(Refusal, match="did not answer in time"):
        calls.wait("a", call)
