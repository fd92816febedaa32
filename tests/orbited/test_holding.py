"""Writes that are held, on real sockets: the same bytes in the same order as without."""

import random
import socket
from types import SimpleNamespace

import pytest
from twisted.internet.epollreactor import EPollReactor
from twisted.internet.error import ConnectionDone
from twisted.internet.protocol import Protocol
from twisted.python.failure import Failure

from orbited.direct import LightServer, unsent_bytes
from orbited.holding import MAX_HELD, holding

ADDRESS = "127.0.0.1"


class Line:
    """A light connection, and its other end."""

    def __init__(self, listening, reactor):
        self.far = socket.create_connection(listening.getsockname())
        self.far.setblocking(False)
        near, address = listening.accept()
        port = SimpleNamespace(_realPortNumber=1)
        self.connection = LightServer(near, Protocol(), address, port, 1, reactor)
        self.reactor = reactor

    def read(self):
        """What is there."""
        try:
            return self.far.recv(1 << 20)
        except BlockingIOError:
            return b""

    def read_exactly(self, size):
        """As the reactor turns."""
        received = bytearray()
        for _ in range(10_000):
            received += self.read()
            if len(received) >= size:
                break
            self.reactor.iterate(0.001)
        return bytes(received)

    def close(self):
        """Both ends, at once."""
        self.far.close()
        if self.connection.connected:
            self.connection.connectionLost(Failure(ConnectionDone()))


@pytest.fixture
def reactor():
    """One of the test's own."""
    reactor = EPollReactor()
    yield reactor
    for each in reactor.removeAll():
        each.connectionLost(None)


@pytest.fixture
def connect(reactor):
    """Make a line."""
    lines = []
    with socket.create_server((ADDRESS, 0), backlog=100) as listening:

        def make():
            lines.append(Line(listening, reactor))
            return lines[-1]

        yield make
        for line in lines:
            line.close()


def test_a_write_is_held_to_the_end_and_not_longer(connect):
    """The kernel has it when the loop is over, before the reactor turns."""
    line = connect()
    with holding:
        line.connection.write_now(b"a")
        assert line.read() == b""
        assert unsent_bytes(line.connection) == 1
    assert line.read() == b"a"
    assert unsent_bytes(line.connection) == 0
    line.connection.write_now(b"b")
    assert line.read() == b"b"


def test_it_may_be_entered_twice(connect):
    """The inner end does not send."""
    line = connect()
    with holding:
        with holding:
            line.connection.write_now(b"a")
        assert line.read() == b""
    assert line.read() == b"a"


def test_it_ends_with_an_error_as_well(connect):
    """What was held by then is sent, and nothing is held from then on."""
    line = connect()

    def fail():
        with holding:
            line.connection.write_now(b"a")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert line.read() == b"a"
    assert not holding.is_on


@pytest.mark.parametrize("way", ["write_now", "write", "writeSequence"])
def test_what_comes_after_it_to_the_same_connection_comes_after_it(connect, way):
    """Whichever way it is written."""
    line = connect()
    with holding:
        line.connection.write_now(b"first ")
        getattr(line.connection, way)([b"second"] if way == "writeSequence" else b"second")
    assert line.read_exactly(12) == b"first second"


def test_no_more_are_held_than_that(connect):
    """The first of a large crowd do not wait for the last."""
    lines = [connect() for _ in range(MAX_HELD + 1)]
    with holding:
        for number, line in enumerate(lines):
            line.connection.write_now(b"%d" % number)
        assert [line.read() for line in lines[:-1]] == [b"%d" % n for n in range(MAX_HELD)]
        assert lines[-1].read() == b""
    assert lines[-1].read() == b"%d" % MAX_HELD


def test_a_connection_that_is_closed_meanwhile_harms_nobody(connect):
    """The others get what is theirs."""
    lines = [connect() for _ in range(3)]
    with holding:
        for line in lines:
            line.connection.write_now(b"news")
        lines[1].close()
    assert [lines[0].read(), lines[2].read()] == [b"news", b"news"]


def test_what_is_held_is_sent_before_the_connection_is_lost(connect):
    """By the reactor, say, that has read its end after what was answered."""
    line = connect()
    with holding:
        line.connection.write_now(b"last words")
        line.connection.connectionLost(Failure(ConnectionDone()))
    assert line.read() == b"last words"


def test_what_is_held_is_sent_before_an_end_in_order(connect):
    """As if it had been sent at once."""
    line = connect()
    with holding:
        line.connection.write_now(b"last words")
        line.connection.loseConnection()
    assert line.read_exactly(10) == b"last words"


def test_a_producer_that_fails_ends_its_own_connection_only(connect, caplog):
    """The one that is told to stop, because its socket is full."""

    class Broken:
        def pauseProducing(self):
            raise ZeroDivisionError

        def stopProducing(self):
            pass

    broken, fine = connect(), connect()
    broken.connection.registerProducer(Broken(), True)
    with holding:
        broken.connection.write_now(b"x" * 8_000_000)
        fine.connection.write_now(b"news")
    assert fine.read() == b"news"
    broken.reactor.iterate(0)
    assert not broken.connection.connected
    assert "is dropped" in caplog.text


def test_held_or_not_each_gets_the_same_bytes(connect):
    """A crowd, some of whose sockets are full; writes of all kinds and sizes, in any order."""
    chance = random.Random(20110606)
    lines = [connect() for _ in range(5)]
    expected = [bytearray() for _ in lines]
    received = [bytearray() for _ in lines]
    for step in range(400):
        with holding:
            for _ in range(chance.randrange(8)):
                each = chance.randrange(len(lines))
                data = b"%06d" % step * chance.choice((1, 1, 1, 5000, 200_000))
                way = chance.choice(("write_now", "write_now", "write_now", "write"))
                getattr(lines[each].connection, way)(data)
                expected[each] += data
            if chance.random() < 0.1:
                holding.release()
        if chance.random() < 0.3:
            each = chance.randrange(len(lines))
            received[each] += lines[each].read()
        lines[0].reactor.iterate(0)
    for each, line in enumerate(lines):
        received[each] += line.read_exactly(len(expected[each]) - len(received[each]))
    assert received == expected
