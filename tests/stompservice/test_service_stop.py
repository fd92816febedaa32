"""StompClientService: how it stops."""

from __future__ import annotations

import pytest
from twisted.internet.defer import CancelledError

from stompservice.errors import ConnectionFailedError


def test_stop(service, live, clock):
    """Stopping says DISCONNECT, waits for its receipt and for the connection to close."""
    stopped = service.stopService()
    assert [frame.command for frame in live.answer_receipts()] == ["DISCONNECT"]
    assert live.transport.disconnecting
    assert not stopped.called
    live.lose()
    assert stopped.called
    assert clock.getDelayedCalls() == []
    assert not service.running


def test_stop_flushes(service, endpoint):
    """What is queued goes out before DISCONNECT, also when the connection is only coming."""
    fired = []
    service.send("/a", "1", receipt=True).addCallback(fired.append)
    stopped = service.stopService()
    broker = endpoint.up()
    broker.accept()
    assert [frame.command for frame in broker.answer_receipts()] == ["SEND", "DISCONNECT"]
    assert len(fired) == 1
    broker.lose()
    assert stopped.called


def test_stop_waits_for_a_slow_broker(service, live):
    """A broker that reads slowly gets everything before DISCONNECT."""
    live.transport.producer.pauseProducing()
    service.send("/a", "1")
    service.stopService()
    assert live.seen() == []
    live.transport.producer.resumeProducing()
    assert live.commands() == ["SEND", "DISCONNECT"]


def test_stop_is_bounded(service, live, clock, caplog):
    """After stop_seconds the connection is cut, and what is left is given up."""
    failures = []
    live.transport.producer.pauseProducing()
    service.send("/a", "1", receipt=True).addErrback(failures.append)
    stopped = service.stopService()
    clock.advance(4.9)
    assert not stopped.called
    clock.advance(0.1)
    assert stopped.called
    assert live.was_aborted
    assert failures[0].check(ConnectionFailedError)
    assert "stopped with 1 messages not sent" in caplog.text
    assert clock.getDelayedCalls() == []


def test_stop_without_an_answer_to_disconnect(service, live, clock):
    """A broker that ignores DISCONNECT does not hold us."""
    stopped = service.stopService()
    clock.advance(5)
    assert stopped.called
    assert live.was_aborted


def test_stop_while_no_broker_can_be_reached(service, endpoint, clock):
    """With no hope of sending it, what is queued is given up at once."""
    service.send("/a", "1")
    endpoint.refuse()
    assert service.stopService().called
    assert clock.getDelayedCalls() == []
    assert service.queued == 0


def test_stop_while_the_last_attempt_fails(service, endpoint, clock):
    """A queue that waited for an attempt is given up when that fails."""
    service.send("/a", "1")
    stopped = service.stopService()
    assert not stopped.called
    endpoint.refuse()
    assert stopped.called
    assert clock.getDelayedCalls() == []


def test_stop_while_connecting(service, endpoint, clock):
    """An attempt under way is called off, and nothing is tried again."""
    waiting = []
    service.whenConnected().addErrback(waiting.append)
    assert service.stopService().called
    assert endpoint.cancelled == 1
    assert waiting[0].check(CancelledError)
    assert clock.getDelayedCalls() == []


def test_stop_before_connected(service, endpoint):
    """A connection that is not let in yet is cut."""
    broker = endpoint.up()
    stopped = service.stopService()
    assert broker.was_aborted
    assert stopped.called


def test_stop_when_the_connection_breaks(service, live):
    """A broker that goes away instead of answering is as good as an answer."""
    stopped = service.stopService()
    live.lose()
    assert stopped.called


def test_stop_twice(service, live):
    """Every stopService fires, and DISCONNECT is said once."""
    first, second = service.stopService(), service.stopService()
    assert [frame.command for frame in live.answer_receipts()] == ["DISCONNECT"]
    live.lose()
    assert first.called
    assert second.called
    assert service.stopService().called


def test_send_after_stop(service, live):
    """A service that is stopping takes nothing more."""
    service.stopService()
    with pytest.raises(ConnectionFailedError, match="was stopped"):
        service.send("/a", "late")
    live.lose()
    with pytest.raises(ConnectionFailedError):
        service.send("/a", "late")


def test_start_again(service, endpoint, live):
    """A stopped service can be started, with its subscriptions."""
    service.subscribe("/a", print)
    service.stopService()
    live.lose()
    service.startService()
    broker = endpoint.up()
    broker.accept()
    assert [frame.command for frame in broker.answer_receipts()] == ["SUBSCRIBE"]
    service.send("/a", "hi")
    assert broker.bodies() == [b"hi"]
