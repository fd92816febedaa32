"""The short ways from an event to its connection, of both packages, do what Twisted's does."""

import errno
import importlib
import os
import socket
import sys
import threading

import pytest
from twisted.internet.error import ConnectionDone, ConnectionLost
from twisted.internet.protocol import Factory, Protocol

from orbited.direct import LightServer, direct_writer

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

    def __init__(self, module, name, transport=None, protocol=Told):
        self.module = module
        self.protocol = protocol
        self.reactor = getattr(importlib.import_module(module), name)()
        self.factory = Factory()
        self.factory.noisy, self.factory.built = False, []
        self.factory.buildProtocol = self._build
        self.port = self.reactor.listenTCP(0, self.factory, interface="127.0.0.1")
        if transport is not None:
            self.port.transport = transport

    def _build(self, address):
        protocol = self.protocol()
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


class Echo(Protocol):
    """Answers at once, by the quickest way."""

    lost = None

    def dataReceived(self, data):
        if data == b"fail":
            raise RuntimeError("for a test")
        direct_writer(self.transport)(data)

    def connectionLost(self, reason=None):
        self.lost = reason


@pytest.fixture
def echoing():
    """The reactor of Orbited with connections that are light ones."""
    world = World("orbited.reactor", "OrbitedReactor", LightServer, Echo)
    yield world
    world.close()


def test_answers_of_one_turn_go_together_and_in_the_same_turn(echoing):
    """Nobody waits for the next."""
    clients = [echoing.connect()[0] for _ in range(5)]
    for number, client in enumerate(clients):
        client.sendall(b"%d" % number)
    echoing.reactor.doPoll(10)
    for number, client in enumerate(clients):
        client.setblocking(False)
        assert client.recv(10) == b"%d" % number
        client.close()


def test_what_is_no_plain_read_does_not_keep_answers_back(echoing):
    """A handler of another kind may take its time; what was read before it is answered."""
    client, _ = echoing.connect()
    client.setblocking(False)
    answered, other = [], Factory()
    other.noisy = False
    other.buildProtocol = lambda _: answered.append(client.recv(10))
    port = echoing.reactor.listenTCP(0, other, interface="127.0.0.1")
    with client:
        client.sendall(b"hello")
        with socket.create_connection(("127.0.0.1", port.getHost().port), 10):
            echoing.reactor.doPoll(10)
    assert answered == [b"hello"]


def test_one_that_has_asked_and_gone_harms_nobody(echoing, monkeypatch):
    """Neither does one whose protocol fails: the others are answered."""
    monkeypatch.setattr("orbited.reactor.log.err", lambda: None)
    clients = [echoing.connect()[0] for _ in range(4)]
    for number, client in enumerate(clients):
        client.sendall(b"fail" if number == 2 else b"hello")
    clients[1].setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    clients[1].close()
    echoing.reactor.doPoll(10)
    for client in (clients[0], clients[3]):
        client.setblocking(False)
        assert client.recv(10) == b"hello"
        client.close()
    clients[2].setblocking(True)
    assert clients[2].recv(10) == b""
    clients[2].close()


def test_an_answer_goes_before_the_end_that_comes_with_the_question(echoing):
    """The browser has sent all it will; what it asked for reaches it."""
    (first, protocol), (second, _) = echoing.connect(), echoing.connect()
    with first, second:
        for client in (first, second):
            client.sendall(b"hello")
        first.shutdown(socket.SHUT_WR)
        echoing.until(lambda: protocol.lost)
        assert first.recv(10) == b"hello"
        assert second.recv(10) == b"hello"


def test_what_was_put_off_follows_the_reads_of_its_turn(echoing):
    """Once, after all of them, and although one of them fails."""
    done = []

    def received(self, data):
        done.append(data)
        echoing.reactor.call_after_reads(lambda: done.append(b"after " + data))

    (first, one), (second, other) = echoing.connect(), echoing.connect()
    with first, second:
        for client, protocol in ((first, one), (second, other)):
            protocol.dataReceived = received.__get__(protocol)
            client.sendall(b"hello")
        echoing.reactor.doPoll(10)
        assert done == [b"hello"] * 2 + [b"after hello"] * 2
        echoing.reactor.doPoll(0)
        assert len(done) == 4


def test_what_fails_after_the_reads_keeps_nobody_from_the_rest(echoing, monkeypatch):
    """It is logged; and what it had put off itself, before it failed, follows soon."""
    logged, done = [], []
    monkeypatch.setattr("orbited.reactor.log.err", lambda: logged.append(sys.exc_info()[1]))

    def fail():
        echoing.reactor.call_after_reads(lambda: done.append("soon"))
        raise RuntimeError("for a test")

    client, protocol = echoing.connect()
    protocol.dataReceived = lambda _: [
        echoing.reactor.call_after_reads(each) for each in (fail, lambda: done.append("second"))
    ]
    with client:
        client.sendall(b"hello")
        echoing.reactor.doPoll(10)
        assert done == ["second"]
        echoing.reactor.runUntilCurrent()
    assert done == ["second", "soon"]
    assert [str(error) for error in logged] == ["for a test"]


def test_outside_of_the_reads_it_follows_soon(echoing):
    """As a timed call does."""
    done = []
    echoing.reactor.call_after_reads(lambda: done.append(1))
    assert not done
    assert echoing.reactor.timeout() == 0
    echoing.reactor.runUntilCurrent()
    assert done == [1]


def test_calls_from_threads_are_made_in_order_and_wake_the_reactor_once(echoing, monkeypatch):
    """One that comes while calls are made is not forgotten."""
    reactor, done, woken = echoing.reactor, [], []
    monkeypatch.setattr(reactor, "wakeUp", lambda: woken.append(len(done)))

    def first():
        done.append(1)
        reactor.callFromThread(done.append, 4)

    reactor.callFromThread(first)
    reactor.callFromThread(done.append, 2)
    reactor.callFromThread(lambda number: done.append(number), number=3)
    assert woken == [0]
    reactor.runUntilCurrent()
    assert done == [1, 2, 3]
    assert 1 in woken  # a call that comes meanwhile wakes it for the next turn
    reactor.runUntilCurrent()
    assert done == [1, 2, 3, 4]
    reactor.callFromThread(done.append, 5)
    assert woken[-1] == 4


@pytest.mark.parametrize("is_before", [True, False])
@pytest.mark.parametrize("has_turn", [True, False])
@pytest.mark.parametrize("has_earlier", [True, False])
def test_a_call_that_another_interrupts(echoing, monkeypatch, is_before, has_turn, has_earlier):
    """Whether another thread's call, or the reactor's turn, comes before or behind: it is made."""
    reactor, done = echoing.reactor, []
    pipe = []
    monkeypatch.setattr(reactor, "wakeUp", lambda: pipe.append(1))

    def turn():
        pipe.clear()
        reactor.runUntilCurrent()

    class Interrupted(list):
        """Others are at work while something is added."""

        others = None

        def append(self, item):
            """Add it; once, something else happens before or behind that."""
            others, self.others = self.others, None
            if others and is_before:
                others()
            super().append(item)
            if others and not is_before:
                others()

    def others():
        if has_turn:
            turn()
        reactor.callFromThread(done.append, "other")

    reactor.threadCallQueue = queue = Interrupted()
    expected = ["other", "own"]
    if has_earlier:
        reactor.callFromThread(done.append, "earlier")
        expected.insert(0, "earlier")
    queue.others = others
    reactor.callFromThread(done.append, "own")
    while queue:
        assert pipe, f"{len(queue)} calls wait, and nobody wakes the reactor"
        turn()
    assert sorted(done) == expected


def test_calls_from_many_threads_are_all_made(echoing):
    """The reactor waits for events, and is woken for those of two threads that wait for it."""
    threads, calls, done = 2, 2000, []
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)  # threads are interrupted between any two steps
    try:
        _call_from_threads(echoing.reactor, threads, calls, done)
    finally:
        sys.setswitchinterval(interval)
    assert len(done) == threads * calls
    for name in range(threads):
        assert [number for whose, number in done if whose == name] == list(range(calls))


def _call_from_threads(reactor, threads, calls, done):
    def run(name):
        for number in range(calls):
            is_made = threading.Event()
            reactor.callFromThread(done.append, (name, number))
            reactor.callFromThread(is_made.set)
            assert is_made.wait(20)

    workers = [threading.Thread(target=run, args=(name,)) for name in range(threads)]
    for worker in workers:
        worker.start()
    while any(worker.is_alive() for worker in workers):
        reactor.runUntilCurrent()
        reactor.doPoll(0.5)
    for worker in workers:
        worker.join()
