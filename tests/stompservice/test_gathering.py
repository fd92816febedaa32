"""What is sent in a block leaves in one piece at its end, without a turn of the reactor."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest
from twisted.internet.tcp import Server
from twisted.internet.testing import MemoryReactorClock
from twisted.python.failure import Failure

from stompservice.connection import StompProtocol
from stompservice.errors import EncodeError
from stompservice.protocol import Frame, FrameParser, encode


class Line:
    """A protocol on a real TCP connection, whose reactor turns only when a test says so.

    Attributes:
        protocol: connected to the broker.
        transport: its end.
        broker: the other end, without blocking.
    """

    def __init__(self) -> None:
        self.reactor = MemoryReactorClock()
        with socket.create_server(("127.0.0.1", 0)) as listener:
            self.broker = socket.create_connection(listener.getsockname())
            ours, address = listener.accept()
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4_096)
        for each in (ours, self.broker):
            each.setblocking(False)
        self.protocol = StompProtocol(clock=self.reactor)
        self.transport = Server(ours, self.protocol, address, None, 0, self.reactor)
        self.protocol.makeConnection(self.transport)
        self._parser = FrameParser()
        self.turn()
        assert [frame.command for frame in self.arrived()] == ["CONNECT"]
        self.protocol.dataReceived(encode(Frame("CONNECTED", {"version": "1.2"})))

    def turn(self) -> None:
        """Let the reactor write once, if it was asked to."""
        if self.transport in self.reactor.getWriters():
            self.transport.doWrite()

    def arrived(self) -> list[Frame]:
        """What the kernel has brought to the broker by now."""
        while True:
            try:
                data = self.broker.recv(1_000_000)
            except BlockingIOError:
                break
            self._parser.receive_data(data)
        return list(self._parser.events_received())

    def close(self) -> None:
        """End both."""
        self.broker.close()
        if self.transport.connected:
            self.transport.connectionLost(Failure(ConnectionError()))


@pytest.fixture
def line() -> Iterator[Line]:
    """A connection that is logged in."""
    line = Line()
    yield line
    line.close()


def test_a_block_is_written_at_its_end(line):
    """Nothing leaves before the end of the outermost block, and no turn is needed then."""
    with line.protocol.gathering():
        line.protocol.send("/a", "1")
        with line.protocol.gathering():
            line.protocol.send("/a", "2")
        assert line.arrived() == []
    assert [frame.body for frame in line.arrived()] == [b"1", b"2"]
    assert line.transport not in line.reactor.getWriters()


def test_without_a_block(line):
    """A lone frame waits for the turn, where all that was sent meanwhile is joined."""
    line.protocol.send("/a", "1")
    line.protocol.send("/a", "2")
    assert line.arrived() == []
    line.turn()
    assert [frame.body for frame in line.arrived()] == [b"1", b"2"]


def test_what_waits_comes_first(line):
    """A block never overtakes what was sent before it."""
    line.protocol.send("/a", "1")
    with line.protocol.gathering():
        line.protocol.send("/a", "2")
    assert line.arrived() == []
    line.turn()
    assert [frame.body for frame in line.arrived()] == [b"1", b"2"]


def test_more_than_the_kernel_takes(line):
    """The rest is Twisted's: the sender is asked to pause, and all arrives in order."""
    bodies = [b"%d" % number * 100_000 for number in range(8)]
    with line.protocol.gathering():
        for body in bodies:
            line.protocol.send("/a", body)
    assert line.protocol.is_paused
    found = line.arrived()
    for _ in range(100_000):
        if len(found) == len(bodies):
            break
        line.turn()
        found += line.arrived()
    assert [frame.body for frame in found] == bodies
    assert not line.protocol.is_paused


def test_a_mistake_in_a_block(line):
    """What was sent before it leaves; what raised does not."""
    with line.protocol.gathering():
        line.protocol.send("/a", "1")
        with pytest.raises(EncodeError):
            line.protocol.send("/a", "2", **{"": "nameless"})
    assert [frame.body for frame in line.arrived()] == [b"1"]
    line.protocol.send("/a", "3")
    line.turn()
    assert [frame.body for frame in line.arrived()] == [b"3"]


def test_a_connection_that_was_cut_in_a_block(line):
    """Nothing is written to it any more, and nothing raises."""
    with line.protocol.gathering():
        line.protocol.send("/a", "1")
        line.protocol.cut()
    assert line.arrived() == []


def test_a_service_without_a_connection(service, endpoint):
    """A block queues as ever, and what it queued goes out with the connection."""
    with service.gathering():
        service.send("/a", "1")
        service.send("/a", "2")
    assert service.queued == 2
    broker = endpoint.up()
    broker.accept()
    assert broker.bodies() == [b"1", b"2"]


def test_a_service_with_one(service, endpoint):
    """A transport that is no TCP socket is written to as ever, in order."""
    broker = endpoint.up()
    broker.accept()
    with service.gathering():
        service.send("/a", "1")
        service.send("/a", "2")
        assert broker.bodies() == []
    assert broker.bodies() == [b"1", b"2"]
