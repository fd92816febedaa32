"""The short ways from an event to its connection, of both packages, do what Twisted's does."""

import errno
import importlib
import os
import socket
import sys

import pytest
from twisted.internet.error import ConnectionDone, ConnectionLost
from twisted.internet.protocol import Factory, Protocol

from orbited.direct import LightServer

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="epoll is Linux's")


class Told(Protocol):
    """Remembers what it is told; may fail."""

    def __init__(self):
        self.received, self.lost = [], None

    def dataReceived(self, data):
        self.received.append(data)
        if data == b"fail":
            raise RuntimeError("for a test")
        if data == b"drop":
            self.factory.built[0].transport.abortConnection()

    def connectionLost(self, reason=None):
        self.lost = reason


class World:
    """A reactor of its own, and connections to it."""

    def __init__(self, module, name, transport=None):
        self.module = module
        self.reactor = getattr(importlib.import_module(module), name)()
        self.factory = Factory()
        self.factory.noisy, self.factory.built = False, []
        self.factory.buildProtocol = self._build
        self.port = self.reactor.listenTCP(0, self.factory, interface="127.0.0.1")
        if transport is not None:
            self.port.transport = transport

    def _build(self, address):
        protocol = Told()
        protocol.factory = self.factory
        self.factory.built.append(protocol)
        return protocol

    def connect(self):
        """A client, and the protocol that serves it."""
        count = len(self.factory.built)
        client = socket.create_connection(self.address(), 10)
        self.until(lambda: len(self.factory.built) > count)
        return client, self.factory.built[-1]

    def address(self):
        """Where to connect to."""
        return "127.0.0.1", self.port.getHost().port

    def until(self, is_done):
        """Turn until that is so."""
        for _ in range(1000):
            if is_done():
                return
            self.reactor.runUntilCurrent()
            self.reactor.doPoll(0.01)
        raise AssertionError("nothing came of it")

    def close(self):
        """Let go of everything."""
        for selectable in self.reactor.removeAll():
            if hasattr(selectable, "socket"):
                selectable.socket.close()
        self.reactor._poller.close()


@pytest.fixture(
    params=[
        ("orbited.reactor", "OrbitedReactor"),
        ("orbited.reactor", "OrbitedReactor", LightServer),
        ("morbid.reactor", "BrokerReactor"),
    ],
    ids=["orbited", "light", "morbid"],
)
def world(request):
    """A reactor of its own."""
    world = World(*request.param)
    yield world
    world.close()


def test_bytes_come_and_go(world):
    """Reads take the short way, writes that had to wait Twisted's."""
    client, protocol = world.connect()
    with client:
        client.sendall(b"hello")
        world.until(lambda: protocol.received == [b"hello"])
        protocol.transport.write(b"x" * 4_000_000)
        got = 0
        client.setblocking(False)

        def read():
            nonlocal got
            try:
                got += len(client.recv(1 << 20))
            except BlockingIOError:
                pass
            return got == 4_000_000

        world.until(read)


def test_the_end_of_a_connection_is_told(world):
    """Once, with the reason that Twisted gives."""
    client, protocol = world.connect()
    client.close()
    world.until(lambda: protocol.lost is not None)
    assert protocol.lost.check(ConnectionDone)
    client, protocol = world.connect()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    client.close()
    world.until(lambda: protocol.lost is not None)
    assert protocol.lost.check(ConnectionLost, ConnectionDone)


def test_a_protocol_that_fails_is_logged_and_loses_its_connection(world, monkeypatch):
    """The others go on."""
    logged = []
    monkeypatch.setattr(f"{world.module}.log.err", lambda: logged.append(sys.exc_info()[1]))
    one, failing = world.connect()
    other, good = world.connect()
    with one, other:
        one.sendall(b"fail")
        other.sendall(b"hello")
        world.until(lambda: failing.lost is not None and good.received)
        assert [str(error) for error in logged] == ["for a test"]
        assert failing.lost.check(RuntimeError)
        assert good.received == [b"hello"]
        assert good.lost is None


def test_a_connection_that_another_has_ended_is_passed_over(world):
    """Its event came with the one that ended it."""
    first, ended = world.connect()
    second, ending = world.connect()
    with first, second:
        second.sendall(b"drop")
        world.until(lambda: ending.received == [b"drop"])
        world.until(lambda: ended.lost is not None)
        assert ending.lost is None


def test_a_socket_that_fails_when_it_is_read_loses_its_connection(world):
    """For the same reason as with Twisted; one that has nothing after all keeps it."""
    client, protocol = world.connect()
    with client:
        descriptor = protocol.transport.fileno()
        real = protocol.transport.socket
        errors = [errno.EWOULDBLOCK, errno.ETIMEDOUT]

        class Failing:
            """Cannot be read."""

            def recv(self, size):
                """Nothing comes."""
                error = errors.pop(0)
                raise OSError(error, os.strerror(error))

            def __getattr__(self, name):
                return getattr(real, name)

        protocol.transport.socket = Failing()
        client.sendall(b"hello")
        world.until(lambda: errors == [errno.ETIMEDOUT])
        assert protocol.lost is None
        world.until(lambda: protocol.lost is not None)
        assert protocol.lost.check(ConnectionLost)
        assert descriptor not in world.reactor._selectables
        assert not errors


def test_more_events_than_are_taken_at_once(world, monkeypatch):
    """The rest come with the next turn."""
    monkeypatch.setattr(f"{world.module}.MAX_EVENTS", 2)
    pairs = [world.connect() for _ in range(7)]
    for client, _ in pairs:
        client.sendall(b"hello")
    world.until(lambda: all(protocol.received for _, protocol in pairs))
    for client, _ in pairs:
        client.close()
