"""StompClientService: staying connected, and queueing."""

from __future__ import annotations

import pytest
from twisted.application.service import IService
from zope.interface.verify import verifyObject

from stompservice.errors import ConnectionFailedError, EncodeError, QueueFull, UsageError
from stompservice.service import StompClientService

# Connecting


def test_is_a_service(service):
    """It can be added to any Twisted application."""
    assert verifyObject(IService, service)


def test_no_brokers():
    """A service without brokers is refused."""
    with pytest.raises(UsageError, match="at least one broker"):
        StompClientService([])


def test_connects_when_started(build, endpoint):
    """Nothing is tried before startService; starting twice is starting once."""
    service = build()
    assert endpoint.attempts == []
    service.startService()
    service.startService()
    assert len(endpoint.attempts) == 1
    assert not service.is_connected


def test_connect_frame(build, endpoint):
    """Login, passcode, host and beats are as set."""
    build(login="me", passcode="pw", virtual_host="site", heart_beat=(1, 2)).startService()
    (frame,) = endpoint.up().seen()
    assert frame.headers == {
        "accept-version": "1.0,1.1,1.2",
        "host": "site",
        "login": "me",
        "passcode": "pw",
        "heart-beat": "1,2",
    }


def test_login_is_asked_for_each_connection(build, endpoint, clock):
    """A passcode that expires is asked anew each time."""
    passcodes = iter(["first", "second"])
    build(login=lambda: "me", passcode=lambda: next(passcodes)).startService()
    broker = endpoint.up()
    assert broker.seen()[0].headers["passcode"] == "first"
    broker.lose()
    clock.advance(1)
    assert endpoint.up().seen()[0].headers["passcode"] == "second"


def test_when_connected(service, endpoint):
    """whenConnected fires when the service is live, and at once from then on."""
    fired = []
    service.whenConnected().addCallback(fired.append)
    broker = endpoint.up()
    assert fired == []
    broker.accept()
    service.whenConnected().addCallback(fired.append)
    assert fired == [broker.protocol, broker.protocol]


def test_every_new_life_is_told(build, endpoint, clock):
    """on_live is called when a connection is ready for use, each time."""
    service = build()
    told = []
    service.on_live = lambda: told.append(service.is_connected)
    service.startService()
    broker = endpoint.up()
    assert told == []
    broker.accept()
    broker.lose()
    clock.advance(1)
    endpoint.up().accept()
    assert told == [True, True]


def test_reconnects(service, endpoint, live, clock):
    """A lost connection is made anew after a pause."""
    live.lose()
    assert not service.is_connected
    assert endpoint.attempts == []
    clock.advance(0.5)
    endpoint.up().accept()
    assert service.is_connected


def test_refused_login(service, endpoint, clock, caplog):
    """A broker that refuses is tried again after ever longer pauses."""
    for pause in (0.5, 1, 2):
        broker = endpoint.up()
        broker.say("ERROR", b"", message="Bad CONNECT")
        broker.lose()
        clock.advance(pause - 0.01)
        assert endpoint.attempts == []
        clock.advance(0.01)
    assert "Bad CONNECT" in caplog.text


# Queueing


def test_sends_at_once_when_live(service, live):
    """A live service writes straight through."""
    service.send("/a", "héllo", {"k": 1})
    (frame,) = live.seen()
    assert frame.headers["k"] == "1"
    assert frame.body == "héllo".encode()
    assert service.queued == 0


def test_queues_in_order(build, endpoint):
    """What is sent before there is a connection, or a start, goes out in order."""
    service = build()
    service.send("/a", "1")
    service.startService()
    service.send("/a", "2")
    broker = endpoint.up()
    service.send("/a", "3")
    assert service.queued == 3
    broker.accept()
    assert broker.bodies() == [b"1", b"2", b"3"]
    assert service.queued == 0


def test_queue_is_bounded_in_messages(service):
    """At max_queued, send raises and takes nothing."""
    for each in "123":
        service.send("/a", each)
    with pytest.raises(QueueFull, match="3 messages wait"):
        service.send("/a", "4")
    assert service.queued == 3


def test_queue_is_bounded_in_bytes(build):
    """At max_queued_bytes too; a smaller message may still fit."""
    service = build(max_queued_bytes=10)
    service.send("/a", "x" * 8)
    with pytest.raises(QueueFull, match="8 bytes wait"):
        service.send("/a", "x" * 3)
    service.send("/a", "xx")
    assert service.queued == 2


def test_nonsense_is_refused_at_once(service, live):
    """What cannot be written is refused by send, connected or not."""
    with pytest.raises(EncodeError):
        service.send("/a", "x", {"k": "a\0b"})
    live.lose()
    with pytest.raises(EncodeError):
        service.send("/a", "x", {"k": "a\0b"})
    with pytest.raises(EncodeError):
        service.subscribe("/a\0", print)


def test_what_an_old_broker_cannot_carry(service, endpoint, caplog):
    """A queued message that 1.0 has no way to write fails alone."""
    failures = []
    service.send("/a", "1", {"k": "a\nb"}, receipt=True).addErrback(failures.append)
    service.send("/a", "2", {"k": "a\nb"})
    service.send("/a", "3")
    broker = endpoint.up()
    broker.accept(version="1.0")
    assert failures[0].check(EncodeError)
    assert "cannot be sent" in caplog.text
    assert broker.bodies() == [b"3"]


def test_receipts(service, endpoint):
    """With receipt=True a Deferred fires on the RECEIPT, queued or not."""
    fired = []
    service.send("/a", "1", receipt=True).addCallback(fired.append)
    broker = endpoint.up()
    broker.accept()
    service.send("/a", "2", receipt=True).addCallback(fired.append)
    assert fired == []
    broker.answer_receipts()
    assert [frame.command for frame in fired] == ["RECEIPT", "RECEIPT"]


def test_receipt_of_a_lost_connection(service, live):
    """Nobody knows whether it arrived, so it fails and is not sent again."""
    failures = []
    service.send("/a", "1", receipt=True).addErrback(failures.append)
    live.lose()
    assert failures[0].check(ConnectionFailedError)
    assert service.queued == 0


def test_waits_while_the_broker_does_not_read(service, live):
    """Back-pressure fills the queue, and then says so."""
    live.transport.producer.pauseProducing()
    for each in "123":
        service.send("/a", each)
    assert live.seen() == []
    with pytest.raises(QueueFull):
        service.send("/a", "4")
    live.transport.producer.resumeProducing()
    assert live.bodies() == [b"1", b"2", b"3"]


def test_waits_while_the_broker_does_not_answer(service, live):
    """A broker that owes too many receipts gets no more until it answers."""
    live.protocol._max_receipts = 1
    service.send("/a", "1", receipt=True)
    service.send("/a", "2", receipt=True)
    service.send("/a", "3")
    assert service.queued == 2
    (frame,) = live.answer_receipts()
    assert frame.body == b"1"
    assert live.bodies() == [b"2"]
    assert service.queued == 1


def test_pause_in_the_middle_of_a_flush(service, endpoint):
    """Flushing stops when the transport says so, and goes on in order."""
    for each in "123":
        service.send("/a", each)
    broker = endpoint.up()
    write = broker.transport.write

    def write_and_pause(data):
        write(data)
        broker.transport.producer.pauseProducing()

    broker.accept()
    assert broker.bodies() == [b"1", b"2", b"3"]
    broker.transport.write = write_and_pause
    broker.transport.producer.pauseProducing()
    for each in "456":
        service.send("/a", each)
    for expected in (b"4", b"5", b"6"):
        broker.transport.producer.resumeProducing()
        assert broker.bodies() == [expected]


# Several brokers


def test_second_broker(build, endpoints, clock):
    """When one broker cannot be reached the next is tried, before any long pause."""
    first, second = endpoints
    service = build(endpoints, min_delay_seconds=8.0)
    service.startService()
    service.subscribe("/a", print)
    service.send("/a", "hi")
    first.refuse()
    clock.advance(4)
    broker = second.up()
    broker.accept()
    broker.answer_receipts()
    assert broker.bodies() == [b"hi"]


def test_brokers_take_turns(build, endpoints, clock):
    """After a round over all brokers comes the pause, and after a loss the next broker."""
    first, second = endpoints
    build(endpoints, min_delay_seconds=8.0).startService()
    first.refuse()
    clock.advance(4)
    second.refuse()
    clock.advance(7.9)
    assert first.attempts == []
    clock.advance(0.1)
    broker = first.up()
    broker.accept()
    broker.lose()
    clock.advance(4)
    assert len(second.attempts) == 1
