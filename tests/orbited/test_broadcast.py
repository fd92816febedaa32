"""One frame to many sessions does what writing it to each of them does."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.testing import StringTransport

from orbited.config import from_mapping
from tests.orbited.conftest import Comet
from tests.support.exchange import MemoryExchange

SESSIONS = 4
AUDIENCES = [(0, 1, 2, 3), (1, 2), (3, 2, 1, 0)]
KINDS = ["websocket", "xhrstream", "sse", "longpoll"]
UPGRADE = {
    "connection": "Upgrade",
    "upgrade": "websocket",
    "sec-websocket-version": "13",
    "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
}


class ChunkedExchange(MemoryExchange):
    """Lets chunks be written as they are, and a WebSocket begin at once."""

    socket: Any = None

    def chunk_writer(self):
        return lambda data: self.written.append(data.split(b"\r\n", 1)[1][:-2])

    def upgrade(self, response, protocol):
        super().upgrade(response, protocol)
        self.socket = StringTransport()
        protocol.makeConnection(self.socket)
        self.producer = protocol

    def take(self):
        """What was written since the last time, each write by itself where it can be seen."""
        if self.socket is not None:
            self.written.append(self.socket.value())
            self.socket.clear()
        written, self.written = self.written, []
        return [data for data in written if not data.startswith(b"HTTP/")]  # that has the date


class Consumer:
    """The broker's side: holds what comes while the session has paused it."""

    def __init__(self, session):
        self.session = session
        self.held = []
        self.is_paused = False
        session.registerProducer(self, True)

    def send(self, frame):
        if self.is_paused:
            self.held.append(frame)
        else:
            self.session.write(frame)

    def pauseProducing(self):
        self.is_paused = True

    def resumeProducing(self):
        self.is_paused = False
        while self.held and not self.is_paused:
            self.session.write(self.held.pop(0))

    def stopProducing(self):
        pass


class Audience:
    """Some of the sessions."""

    def __init__(self, world, positions):
        self.members = [world.sessions[position] for position in positions]
        self.consumers = [world.consumers[position] for position in positions]


class World:
    """A server, some sessions, and what their browsers have got."""

    def __init__(self, *, broadcasts, options=None):
        self.comet = Comet(from_mapping(options or {}))
        self.broadcasts = broadcasts
        self.keys = [self.comet.create() for _ in range(SESSIONS)]
        self.sessions = [self.comet.session(key) for key in self.keys]
        self.consumers = [Consumer(session) for session in self.sessions]
        self.audiences = [Audience(self, positions) for positions in AUDIENCES]
        self.exchanges = [ChunkedExchange() for _ in range(SESSIONS)]
        self.got = []
        for position in range(SESSIONS):
            self.open(position, KINDS[position])
        self.comet.turn()

    def publish(self, which, frame):
        """Have the broker publish."""
        audience = self.audiences[which]
        if self.broadcasts:
            self.comet.tcp.broadcaster.broadcast(audience, frame)
        else:
            for consumer in audience.consumers:
                consumer.send(frame)

    def write(self, position, frame):
        """Have the broker write to one session."""
        self.consumers[position].send(frame)

    def open(self, position, kind):
        """Open a transport."""
        self.take()
        headers = UPGRADE if kind == "websocket" else {}
        exchange = ChunkedExchange("GET", f"{self.keys[position]}/{kind}", headers=headers)
        self.exchanges[position] = exchange
        self.comet.tcp.respond(exchange)

    def lose(self, position):
        """Cut the connection."""
        self.take()
        exchange = self.exchanges[position]
        if exchange.upgraded is None:
            exchange.lose()
        elif exchange.upgraded.transport is not None:
            exchange.upgraded.connectionLost()

    def pause(self, position, is_full):
        """Let the socket be full, or take bytes again."""
        producer = self.exchanges[position].producer
        if producer is not None:
            (producer.pauseProducing if is_full else producer.resumeProducing)()

    def acknowledge(self, position, number):
        """Say what was read."""
        self.sessions[position].acknowledge(number)

    def end(self, position, how):
        """End a session from the broker's side."""
        getattr(self.sessions[position], how)()

    def turn(self):
        """Let the reactor's turn end."""
        self.comet.turn()

    def take(self):
        """What each browser got, write by write."""
        self.got.append([exchange.take() for exchange in self.exchanges])

    def state(self):
        """What can be seen from outside."""
        self.take()
        sessions = [
            (s.core.state, s.core.outbox.last_id, s.core.outbox.unacked_bytes, s.transport_name)
            for s in self.sessions
        ]
        return self.got, sessions


positions = st.integers(0, SESSIONS - 1)
frames = st.one_of(st.binary(min_size=1, max_size=90), st.just(b"#" * 20_000))
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("publish"), st.integers(0, len(AUDIENCES) - 1), frames),
        st.tuples(st.just("publish"), st.just(0), frames),
        st.tuples(st.just("write"), positions, frames),
        st.tuples(st.just("turn")),
        st.tuples(st.just("open"), positions, st.sampled_from(KINDS)),
        st.tuples(st.just("lose"), positions),
        st.tuples(st.just("pause"), positions, st.booleans()),
        st.tuples(st.just("acknowledge"), positions, st.integers(0, 20)),
        st.tuples(
            st.just("end"), positions, st.sampled_from(["loseConnection", "abortConnection"])
        ),
    ),
    max_size=30,
)


@settings(deadline=None, max_examples=60)
@given(STEPS)
def test_browsers_get_the_same_bytes_either_way(steps):
    """Whatever else happens to sessions in between, and in the same turn.

    A transport that opens, or a socket that takes bytes again, carries at once what was written
    before, and what was broadcast in the same turn only at its end: so a turn ends there.
    """
    one, other = World(broadcasts=True), World(broadcasts=False)
    for world in (one, other):
        for name, *arguments in steps:
            if name in ("open", "pause"):
                world.turn()
            getattr(world, name)(*arguments)
        world.turn()
    assert one.state() == other.state()
    assert one.comet.tcp.counters == other.comet.tcp.counters


@pytest.mark.parametrize("kind", KINDS)
def test_a_transport_that_opens_in_between_carries_it_too(kind):
    """In the same turn, behind what was written before and before what comes later."""
    world = World(broadcasts=True)
    session = world.sessions[1]
    world.lose(1)
    world.write(1, b"one ")
    world.publish(0, b"two ")
    world.open(1, kind)
    world.write(1, b"three ")
    world.publish(1, b"four")
    world.turn()
    world.open(1, "longpoll")
    world.turn()
    data = [each for each in session.core.outbox._unacked if isinstance(each, bytes)]
    assert b"".join(data) == b"one two three four"
    assert session.core.outbox.is_sent


@pytest.mark.parametrize("broadcasts", [True, False])
def test_what_a_session_does_not_take_its_service_holds(broadcasts):
    """A browser that does not read pauses its consumer, and loses nothing."""
    options = {"session": {"pause_bytes": 300, "queued_bytes": 1024}}
    world = World(broadcasts=broadcasts, options=options)
    world.state()
    world.pause(1, is_full=True)
    sent = [b"%03d" % number * 30 for number in range(40)]
    for number, frame in enumerate(sent):
        world.publish(0, frame)
        if number % 3 == 0:
            world.turn()
    world.turn()
    assert world.consumers[1].is_paused
    assert len(world.consumers[1].held) > 30
    world.got.clear()
    world.pause(1, is_full=False)
    for _ in sent:
        world.turn()
    assert not world.consumers[1].held
    assert world.comet.tcp.counters.slow_sessions_closed == 0


def test_many_frames_of_one_turn_are_one_packet():
    """Their bytes are joined once, and each session has one number for them."""
    world = World(broadcasts=True)
    for number in range(50):
        world.publish(0, b"%02d" % number)
    before = [session.core.outbox.last_id for session in world.sessions]
    world.turn()
    for session, number in zip(world.sessions[:3], before, strict=False):
        assert session.core.outbox.last_id == number + 1
        assert session.core.outbox._unacked[-1] == b"".join(b"%02d" % n for n in range(50))
    assert world.sessions[0].core.outbox._unacked[-1] is world.sessions[1].core.outbox._unacked[-1]


def test_a_packet_that_is_full_goes_at_once():
    """What waits is bounded, however much is published in one turn."""
    world = World(broadcasts=True)
    for _ in range(10):
        world.publish(0, b"x" * 5000)
    world.turn()
    sizes = [len(item) for item in world.sessions[0].core.outbox._unacked[-4:]]
    assert sizes == [15_000, 15_000, 15_000, 5000]


def test_a_session_that_fails_costs_the_others_nothing(monkeypatch):
    """It is dropped, and they have their frame."""
    world = World(broadcasts=True)
    world.publish(0, b"first")
    world.turn()
    world.got.clear()

    def fail(*arguments):
        raise RuntimeError("for a test")

    monkeypatch.setattr(world.sessions[0]._transport, "write_frame", fail, raising=False)
    world.publish(0, b"second")
    world.turn()
    world.turn()
    assert world.sessions[0].key not in world.comet.tcp.connections
    assert len(world.comet.tcp.connections) == SESSIONS - 1
    world.take()
    assert all(any(written) for written in world.got[-1][1:3])


@pytest.mark.parametrize("settles", [True, False])
def test_a_service_that_fails_costs_the_others_nothing(settles, monkeypatch):
    """What its side holds for a session that takes no more, too, is one session's affair."""
    world = World(broadcasts=True)

    def fail(frame):
        raise RuntimeError("for a test")

    world.sessions[0]._is_producer_paused = True
    monkeypatch.setattr(world.consumers[0], "send", fail)
    world.publish(0, b"first")
    if settles:
        world.write(1, b"a word in between")
    world.turn()
    assert world.sessions[0].key not in world.comet.tcp.connections
    world.publish(1, b"second")
    world.turn()
    for session in world.sessions[1:3]:
        first, second = [each for each in session.core.outbox._unacked if type(each) is bytes][-2:]
        assert first.startswith(b"first")
        assert second == b"second"
