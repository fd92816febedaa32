"""StompProtocol: timers, back-pressure and closing."""

from __future__ import annotations

import pytest
from twisted.internet.interfaces import IPushProducer
from twisted.internet.testing import StringTransport
from zope.interface.verify import verifyObject

from stompservice.connection import CLOSE_SECONDS, StompProtocol
from stompservice.errors import ConnectionFailedError, EncodeError, HeartBeatError, QueueFull
from stompservice.protocol import Frame
from stompservice.protocol.events import Connected, Ended
from stompservice.protocol.session import ClientOptions


@pytest.fixture
def events() -> list:
    """What the protocol has told."""
    return []


@pytest.fixture
def protocol(clock, events) -> StompProtocol:
    """A protocol with beats, a fake clock and little room."""
    return StompProtocol(
        ClientOptions(heart_beat=(10_000, 10_000)),
        lambda protocol, event: events.append(event),
        clock,
        max_unsent_bytes=100,
    )


@pytest.fixture
def broker(protocol, broker_end):
    """The broker's end, connected with beats."""
    broker = broker_end(protocol)
    broker.accept(heart_beat="10000,10000")
    return broker


def test_is_a_push_producer(protocol):
    """The transport may pause us."""
    assert verifyObject(IPushProducer, protocol)


def test_frames_go_out_at_once(protocol):
    """TCP does not hold a frame back until the one before it is acknowledged, which takes 40 ms."""

    class TcpTransport(StringTransport):
        def setTcpNoDelay(self, enabled):
            self.has_no_delay = enabled

    transport = TcpTransport()
    protocol.makeConnection(transport)
    assert transport.has_no_delay is True


def test_beats(broker, clock):
    """A beat goes out before each interval ends, as long as the broker beats too."""
    for _ in range(20):
        clock.advance(5)
        broker.protocol.dataReceived(b"\n")
    assert broker.raw() == b"\n" * 10
    assert not broker.is_closing()


def test_one_timer(broker, clock):
    """Traffic sets no timers: there is one, which looks again when it fires."""
    for _ in range(100):
        broker.say("MESSAGE", subscription="1")
    assert len(clock.getDelayedCalls()) == 1


def test_silence(broker, clock, events):
    """A silent broker is cut off: there is nobody to say goodbye to."""
    clock.pump([1] * 20)
    assert isinstance(events[-1].reason, HeartBeatError)
    assert broker.was_aborted


def test_no_timers_are_left(broker, clock):
    """A connection that is gone leaves no timer behind."""
    broker.lose()
    assert clock.getDelayedCalls() == []


def test_no_answer_to_connect(protocol, broker_end, clock, events):
    """A broker that does not answer CONNECT is left."""
    broker = broker_end(protocol)
    clock.advance(30)
    assert str(events[-1].reason) == "the broker did not answer CONNECT in time"
    assert broker.is_closing()


def test_ended_comes_once(broker, events):
    """Whatever happens, the last event is Ended, and there is one."""
    broker.say("ERROR", b"", message="no")
    broker.say("MESSAGE", subscription="1")
    broker.lose()
    assert [type(event).__name__ for event in events] == ["Connected", "Error", "Ended"]
    assert isinstance(events[0], Connected)


def test_verbs_in_an_event(clock, broker_end):
    """A verb called while an event is told is written after it, in order."""

    def on_event(protocol, event):
        if isinstance(event, Connected):
            protocol.subscribe("/a")
            protocol.send("/a", "1")
            protocol.send("/a", "2")

    broker = broker_end(StompProtocol(None, on_event, clock))
    broker.accept()
    assert [frame.command for frame in broker.seen()] == ["SUBSCRIBE", "SEND", "SEND"]


def test_closing_takes_no_longer_than_agreed(broker, clock):
    """A peer that does not read cannot hold a connection that is over."""
    broker.say("ERROR", b"", message="no")
    assert broker.transport.disconnecting
    assert broker.transport.producer is None
    clock.advance(CLOSE_SECONDS)
    assert broker.was_aborted
    assert clock.getDelayedCalls() == []


def test_back_pressure(broker):
    """While the broker does not read, what is handed in is bounded."""
    protocol = broker.protocol
    assert broker.transport.streaming
    broker.transport.producer.pauseProducing()
    assert protocol.is_paused
    protocol.send("/a", "x" * 100)
    with pytest.raises(QueueFull, match="bytes wait for a broker that does not read"):
        protocol.send("/a", "y")
    with pytest.raises(QueueFull):
        protocol.subscribe("/a")
    resumed = []
    protocol.on_resume = lambda: resumed.append(True)
    broker.transport.producer.resumeProducing()
    protocol.send("/a", "z")
    assert resumed == [True]
    assert [frame.body[:1] for frame in broker.seen()] == [b"x", b"z"]


def test_receipts_are_bounded(clock, broker_end):
    """A broker that does not answer cannot make us wait for ever more receipts."""
    protocol = StompProtocol(None, None, clock, max_receipts=2)
    broker = broker_end(protocol)
    broker.accept()
    first = protocol.send("/a", "1", receipt=True)
    protocol.send("/a", "2", receipt=True).addErrback(lambda failure: None)
    assert protocol.is_full
    with pytest.raises(QueueFull, match="2 receipts are waited for"):
        protocol.send("/a", "3", receipt=True)
    protocol.send("/a", "4")
    broker.say("RECEIPT", receipt_id=broker.seen()[0].headers["receipt"])
    assert first.called
    assert not protocol.is_full


def test_held_frame_that_cannot_be_written(protocol, broker_end, caplog):
    """What waited for CONNECTED and cannot be written fails its receipt, or is logged."""
    broker = broker_end(protocol)
    failures = []
    protocol.send("/a", "x", k="a\nb", receipt=True).addErrback(failures.append)
    protocol.send("/a", "x", k="a\nb")
    broker.accept(version="1.0")
    assert failures[0].check(EncodeError)
    assert "not sent: STOMP 1.0 cannot carry" in caplog.text


def test_disconnect(broker, events):
    """disconnect() fires when the connection is gone; pending receipts fail."""
    failures = []
    broker.protocol.send("/a", "x", receipt="never").addErrback(failures.append)
    over = broker.protocol.disconnect()
    bye = broker.seen()[-1]
    broker.say("RECEIPT", receipt_id=bye.headers["receipt"])
    assert events[-1] == Ended(None)
    assert failures[0].check(ConnectionFailedError)
    assert broker.transport.disconnecting
    assert not over.called
    broker.lose()
    assert over.called
    assert broker.protocol.when_lost().called
    assert broker.protocol.disconnect().called


def test_a_broker_that_answers_while_we_write(broker, events):
    """Over a link inside the process an answer may come before ``write`` returns."""
    write, fired = broker.transport.write, []

    def write_and_answer(data):
        write(data)
        broker.answer_receipts()

    broker.transport.write = write_and_answer
    broker.protocol.send("/a", "1", receipt=True).addCallback(fired.append)
    broker.protocol.begin("t", receipt="mine").addCallback(fired.append)
    confirmed = broker.protocol.receipt("subscribed")
    broker.protocol.subscribe("/a", receipt="subscribed")
    over = broker.protocol.disconnect()
    assert [frame.command for frame in fired] == ["RECEIPT", "RECEIPT"]
    assert confirmed.called
    assert events[-1] == Ended(None)
    broker.lose()
    assert over.called


def test_send_frame(broker):
    """A ready frame is sent as it is."""
    broker.protocol.send_frame(Frame("SEND", {"destination": "/a", "k": "v"}))
    assert broker.seen() == [Frame("SEND", {"destination": "/a", "k": "v"})]


def test_cut(broker, events):
    """cut() closes at once."""
    broker.protocol.cut()
    assert broker.was_aborted
    assert isinstance(events[-1].reason, ConnectionFailedError)
    broker.protocol.cut()
