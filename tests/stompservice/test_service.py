"""StompClientService: staying connected, queueing, stopping."""

from __future__ import annotations

import pytest
from twisted.application.service import IService
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.error import ConnectionRefusedError as Refused
from twisted.internet.interfaces import IStreamClientEndpoint
from zope.interface import implementer
from zope.interface.verify import verifyObject

from stompservice.errors import ConnectionFailedError, EncodeError, QueueFull, UsageError
from stompservice.service import StompClientService


@implementer(IStreamClientEndpoint)
class MemoryEndpoint:
    """A broker's address: the test decides what becomes of each attempt."""

    def __init__(self, broker_end: type) -> None:
        self.broker_end = broker_end
        self.attempts: list[tuple[object, Deferred]] = []
        self.cancelled = 0

    def connect(self, factory):
        """Wait for ``up`` or ``refuse``."""
        attempt = Deferred(self._cancel)
        self.attempts.append((factory, attempt))
        return attempt

    def up(self):
        """The TCP connection comes about; returns the broker's end."""
        factory, attempt = self.attempts.pop(0)
        protocol = factory.buildProtocol(None)
        broker = self.broker_end(protocol)
        attempt.callback(protocol)
        return broker

    def refuse(self):
        """The TCP connection is refused."""
        self.attempts.pop(0)[1].errback(Refused())

    def _cancel(self, attempt: Deferred) -> None:
        self.cancelled += 1
        attempt.errback(ConnectionError("cancelled"))


@pytest.fixture
def endpoint(broker_end) -> MemoryEndpoint:
    """The only broker's address."""
    return MemoryEndpoint(broker_end)


@pytest.fixture
def build(clock, endpoint):
    """Makes a service; without jitter, with the given settings."""

    def build(endpoints=None, **settings) -> StompClientService:
        settings = {"random": lambda: 1.0, **settings}
        return StompClientService(endpoints or [endpoint], reactor=clock, **settings)

    return build


@pytest.fixture
def service(build) -> StompClientService:
    """A service that was started."""
    service = build(max_queued=3)
    service.startService()
    return service


@pytest.fixture
def live(service, endpoint):
    """The broker's end of a service that is live."""
    broker = endpoint.up()
    broker.accept()
    assert service.is_connected
    return broker


def bodies(frames) -> list[bytes]:
    """The bodies of the SENDs among these frames."""
    return [frame.body for frame in frames if frame.command == "SEND"]


def commands(frames) -> list[str]:
    """The commands of these frames."""
    return [frame.command for frame in frames]


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
    assert bodies(broker.seen()) == [b"1", b"2", b"3"]
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
    assert bodies(broker.seen()) == [b"3"]


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
    assert bodies(live.seen()) == [b"1", b"2", b"3"]


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
    assert bodies(broker.seen()) == [b"1", b"2", b"3"]
    broker.transport.write = write_and_pause
    broker.transport.producer.pauseProducing()
    for each in "456":
        service.send("/a", each)
    for expected in (b"4", b"5", b"6"):
        broker.transport.producer.resumeProducing()
        assert bodies(broker.seen()) == [expected]


# Subscriptions


def test_subscribe_when_live(service, live):
    """A subscription goes out at once; its messages reach the callback, as frames."""
    heard = []
    subscription = service.subscribe("/a", heard.append, headers={"selector": "x"})
    (frame,) = live.seen()
    assert frame.headers == {
        "destination": "/a",
        "id": subscription.id,
        "ack": "auto",
        "selector": "x",
    }
    live.say("MESSAGE", b"hi", subscription=subscription.id, destination="/a")
    assert [frame.body for frame in heard] == [b"hi"]


def test_messages_wait_for_the_receipts_of_subscriptions(service, endpoint):
    """After connecting, the queue moves when all subscriptions are confirmed."""
    service.subscribe("/a", print)
    service.subscribe("/b", print)
    service.send("/a", "hi")
    broker = endpoint.up()
    broker.accept()
    first, second = broker.seen()
    assert commands([first, second]) == ["SUBSCRIBE", "SUBSCRIBE"]
    broker.say("RECEIPT", receipt_id=first.headers["receipt"])
    assert not service.is_connected
    assert broker.seen() == []
    broker.say("RECEIPT", receipt_id=second.headers["receipt"])
    assert service.is_connected
    assert bodies(broker.seen()) == [b"hi"]


def test_resubscribes(service, endpoint, live, clock):
    """Subscriptions are renewed with the same ids; those given up are not."""
    heard = []
    kept = service.subscribe("/a", heard.append, ack="client")
    gone = service.subscribe("/b", print)
    gone.unsubscribe()
    live.lose()
    clock.advance(1)
    broker = endpoint.up()
    broker.accept()
    (frame,) = broker.answer_receipts()
    assert (frame.headers["id"], frame.headers["ack"]) == (kept.id, "client")
    broker.say("MESSAGE", b"again", subscription=kept.id, message_id="1")
    assert heard[0].body == b"again"


def test_unsubscribe(service, live):
    """UNSUBSCRIBE goes out, once, and messages on their way are dropped."""
    heard = []
    subscription = service.subscribe("/a", heard.append)
    subscription.unsubscribe()
    subscription.unsubscribe()
    assert commands(live.seen()) == ["SUBSCRIBE", "UNSUBSCRIBE"]
    live.say("MESSAGE", subscription=subscription.id)
    assert heard == []


def test_subscriptions_that_are_never_confirmed(service, endpoint, clock):
    """A broker that sends no receipts in time is left for another attempt."""
    service.subscribe("/a", print)
    broker = endpoint.up()
    broker.accept()
    clock.advance(14.9)
    assert not broker.is_closing()
    clock.advance(0.1)
    assert broker.was_aborted
    clock.advance(0.5)
    assert len(endpoint.attempts) == 1


def test_old_broker_without_receipts(service, endpoint, clock):
    """MorbidQ 0.8 has no receipts: with 1.0 we go on without them."""
    heard = []
    service.subscribe("/a", heard.append)
    service.send("/a", "hi")
    broker = endpoint.up()
    broker.raw()
    broker.protocol.dataReceived(b"CONNECTED\nsession:1\n\n\0\n")
    clock.advance(15)
    assert service.is_connected
    assert bodies(broker.seen()) == [b"hi"]
    broker.protocol.dataReceived(b"MESSAGE\ndestination:/a\nmessage-id:/a_1\n\nhi\0\n")
    assert [frame.body for frame in heard] == [b"hi"]


def test_a_callback_that_raises(service, live, caplog):
    """What a callback raises, or its Deferred fails with, is logged and no more."""
    broken = service.subscribe("/a", lambda frame: frame.headers["nothing"])
    later = Deferred()
    slow = service.subscribe("/b", lambda frame: later)
    live.say("MESSAGE", subscription=broken.id)
    live.say("MESSAGE", subscription=slow.id)
    assert "callback of /a failed" in caplog.text
    later.errback(ValueError("late"))
    assert "callback of /b failed" in caplog.text
    assert service.is_connected


def test_ack_individually(service, live):
    """Each message is acknowledged once, or refused."""
    subscription = service.subscribe("/a", print, ack="client-individual")
    frames = deliver(live, subscription, "123")
    assert subscription.ack(frames[1])
    assert not subscription.ack(frames[1])
    assert subscription.nack(frames[0])
    assert subscription.ack(frames[2])
    acks = [(frame.command, frame.headers) for frame in live.seen()[1:]]
    assert acks == [("ACK", {"id": "2"}), ("NACK", {"id": "1"}), ("ACK", {"id": "3"})]


def test_ack_cumulatively(service, live):
    """In mode client an ACK covers what came before it."""
    subscription = service.subscribe("/a", print, ack="client")
    frames = deliver(live, subscription, "123")
    assert subscription.ack(frames[1])
    assert not subscription.ack(frames[0])
    assert subscription.ack(frames[2])
    assert commands(live.seen()) == ["SUBSCRIBE", "ACK", "ACK"]


def test_ack_over_another_connection(service, endpoint, live, clock):
    """A message of a lost connection is not acknowledged: it comes again."""
    subscription = service.subscribe("/a", print, ack="client-individual")
    (frame,) = deliver(live, subscription, "1")
    live.lose()
    assert not subscription.ack(frame)
    clock.advance(1)
    broker = endpoint.up()
    broker.accept()
    broker.answer_receipts()
    assert not subscription.ack(frame)
    assert broker.seen() == []


def deliver(broker, subscription, ids):
    """Deliver messages and return them as the callback got them."""
    heard = []
    subscription._callback = heard.append
    for each in ids:
        broker.say("MESSAGE", subscription=subscription.id, message_id=each, ack=each)
    return heard


# Several brokers


@pytest.fixture
def endpoints(broker_end) -> list[MemoryEndpoint]:
    """Two brokers."""
    return [MemoryEndpoint(broker_end), MemoryEndpoint(broker_end)]


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
    assert bodies(broker.seen()) == [b"hi"]


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


# Stopping


def test_stop(service, live, clock):
    """Stopping says DISCONNECT, waits for its receipt and for the connection to close."""
    stopped = service.stopService()
    assert commands(live.answer_receipts()) == ["DISCONNECT"]
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
    assert commands(broker.answer_receipts()) == ["SEND", "DISCONNECT"]
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
    assert commands(live.seen()) == ["SEND", "DISCONNECT"]


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
    assert commands(live.answer_receipts()) == ["DISCONNECT"]
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
    assert commands(broker.answer_receipts()) == ["SUBSCRIBE"]
    service.send("/a", "hi")
    assert bodies(broker.seen()) == [b"hi"]
