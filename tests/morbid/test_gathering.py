"""Frames that one packet causes leave in one piece: real sockets, no reactor that turns."""

from __future__ import annotations

import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest
from twisted.internet.tcp import Server
from twisted.internet.testing import MemoryReactorClock, StringTransport
from twisted.python.failure import Failure

from morbid.broker import Broker
from morbid.gathering import Turn, can_gather
from morbid.limits import Limits
from morbid.server import StompFactory
from stompservice.protocol import Frame, FrameParser, encode


class Peer:
    """The other end of a connection to the broker."""

    def __init__(self, factory: StompFactory, reactor: MemoryReactorClock) -> None:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            self.socket = socket.create_connection(listener.getsockname())
            ours, address = listener.accept()
        ours.setblocking(False)
        self.socket.setblocking(False)
        self.protocol = factory.buildProtocol(None)
        self.transport = Server(ours, self.protocol, address, None, 0, reactor)
        self.protocol.makeConnection(self.transport)
        self.reactor = reactor
        self.parser = FrameParser()

    def send(self, *frames: Frame) -> Peer:
        """Let the broker receive all of these in one packet."""
        self.protocol.dataReceived(b"".join(encode(frame) for frame in frames))
        return self

    def receive(self, count: int) -> list[Frame]:
        """Read so many frames."""
        frames: list[Frame] = []
        for chunk in self._chunks():
            self.parser.receive_data(chunk)
            frames += self.parser.events_received()
            if len(frames) >= count:
                return frames
        return frames

    def receive_all(self) -> list[Frame]:
        """Read until the broker closes."""
        return self.receive(sys.maxsize)

    def _chunks(self) -> Iterator[bytes]:
        """What comes until the broker closes, while the reactor turns as often as it takes."""
        for _ in range(100_000):
            if self.transport in self.reactor.getWriters():
                reason = self.transport.doWrite()
                if reason is not None:
                    self.reactor.removeWriter(self.transport)
                    self.transport.connectionLost(Failure(reason))
            with suppress(BlockingIOError):
                chunk = self.socket.recv(1 << 20)
                if not chunk:
                    return
                yield chunk
        raise AssertionError("nothing comes any more")

    def subscribe(self) -> Peer:
        """Subscribe to the topic of these tests."""
        return self.send(Frame("SUBSCRIBE", {"id": "0", "destination": "/topic/a"}))


@pytest.fixture
def connect() -> Iterator[Callable[..., Peer]]:
    """Make a connection that is logged in, of a broker with these limits."""
    reactor = MemoryReactorClock()
    peers: list[Peer] = []
    factories: list[StompFactory] = []

    def make(**limits: float) -> Peer:
        if not factories:
            factories.append(StompFactory(Broker(Limits(**limits)), clock=reactor))
        peer = Peer(factories[0], reactor)
        peers.append(peer)
        peer.send(Frame("CONNECT", {"accept-version": "1.2", "host": "/"}))
        assert peer.receive(1)[0].command == "CONNECTED"
        return peer

    yield make
    for peer in peers:
        peer.socket.close()
        peer.transport.abortConnection()
        reactor.advance(1)


def message(body: bytes) -> Frame:
    """A SEND to the topic of these tests."""
    return Frame("SEND", {"destination": "/topic/a"}, body)


def bodies(frames: list[Frame]) -> list[bytes]:
    """What messages say."""
    return [frame.body for frame in frames]


def test_messages_of_one_packet_leave_at_once_and_in_order(connect: Callable[..., Peer]) -> None:
    """Subscribers have their messages in the kernel before the reactor turns again."""
    publisher, first, second = connect(), connect().subscribe(), connect().subscribe()
    publisher.send(*(message(b"%d" % number) for number in range(50)))
    assert not publisher.reactor.getWriters()
    for subscriber in (first, second):
        assert bodies(subscriber.receive(50)) == [b"%d" % number for number in range(50)]


def test_each_subscriber_gets_one_packet(connect: Callable[..., Peer]) -> None:
    """Several messages are one write."""
    publisher, subscriber = connect(), connect().subscribe()
    publisher.send(message(b"a"), message(b"b"), message(b"c"))
    received = subscriber.socket.recv(1 << 20)
    assert received.count(b"MESSAGE") == 3


def test_order_is_kept_when_the_kernel_takes_only_a_part(connect: Callable[..., Peer]) -> None:
    """What is left goes by the reactor, and what comes later stays behind it."""
    publisher, subscriber = connect(), connect().subscribe()
    sent = [b"%d" % number + b"x" * 50_000 for number in range(100)]
    for start in range(0, len(sent), 10):
        publisher.send(*map(message, sent[start : start + 10]))
    assert subscriber.transport in publisher.reactor.getWriters()
    assert subscriber.protocol.session is not None
    assert subscriber.protocol.session.is_paused
    assert bodies(subscriber.receive(len(sent))) == sent


def test_burst_beyond_the_bound_ends_a_slow_consumer(connect: Callable[..., Peer]) -> None:
    """A burst of one packet is held and counted like any other; ERROR is the last frame."""
    publisher, subscriber = connect(max_outgoing_bytes=100_000), connect().subscribe()
    publisher.send(*(message(b"x" * 50_000) for _ in range(200)))
    *messages, error = subscriber.receive_all()
    assert {frame.command for frame in messages} == {"MESSAGE"}
    assert (error.command, error.headers["code"]) == ("ERROR", "slow-consumer")
    assert publisher.protocol.session is not None
    assert not publisher.protocol.session.is_closed


def test_all_is_written_before_the_connection_closes(connect: Callable[..., Peer]) -> None:
    """A message, a receipt and the end, caused by one packet, arrive in this order."""
    peer = connect().subscribe()
    peer.send(message(b"last"), Frame("DISCONNECT", {"receipt": "bye"}))
    frames = peer.receive_all()
    assert [frame.command for frame in frames] == ["MESSAGE", "RECEIPT"]


def test_connection_that_another_ends_gets_its_messages(connect: Callable[..., Peer]) -> None:
    """What was gathered for a connection is written before it is told to close."""
    publisher, subscriber = connect(), connect().subscribe()
    turn = publisher.protocol.factory.turn
    assert turn.begin()
    publisher.send(message(b"last"))
    assert publisher.protocol.factory.disconnect(login="") == 2
    turn.end()
    frames = subscriber.receive_all()
    assert [frame.command for frame in frames] == ["MESSAGE", "ERROR"]


def test_what_no_packet_caused_is_written_too(connect: Callable[..., Peer]) -> None:
    """A message that comes from inside the process goes the reactor's way."""
    subscriber = connect().subscribe()
    subscriber.protocol.factory.broker.publish("/topic/a", {}, b"from inside")
    assert bodies(subscriber.receive(1)) == [b"from inside"]


def test_failure_of_one_does_not_cost_the_others(caplog: pytest.LogCaptureFixture) -> None:
    """Whoever cannot be written to is cut off, and the next one gets its own."""

    class Broken:
        transport = StringTransport()

        def flush(self) -> None:
            raise ValueError("a mistake")

    class Whole:
        is_flushed = False

        def flush(self) -> None:
            self.is_flushed = True

    turn, broken, whole = Turn(), Broken(), Whole()
    assert turn.begin()
    assert not turn.begin()
    turn.add(broken)  # type: ignore[arg-type]
    turn.add(whole)  # type: ignore[arg-type]
    turn.end()
    assert whole.is_flushed
    assert broken.transport.disconnected
    assert "internal error" in caplog.text


def test_only_plain_tcp_is_written_to_directly(connect: Callable[..., Peer]) -> None:
    """TLS and the link inside the process have no socket that we may write to."""
    transport = connect().transport
    assert can_gather(transport)
    transport.TLS = True
    assert not can_gather(transport)
    transport.TLS = False
    assert not can_gather(StringTransport())
