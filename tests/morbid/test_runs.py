"""SENDs of one packet that are published together have the effect of one after the other."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from twisted.internet.defer import Deferred

from morbid.broker import Broker
from morbid.limits import Limits
from morbid.messagequeue import PIECE_BYTES, Topic
from morbid.mqsecurity import Security
from morbid.policy import Policy
from stompservice.protocol import V10, V12, Frame, encode
from tests.morbid.conftest import Client

HEADERS = {"destination": "/topic/a"}


def sends(count: int, first: int = 0, size: int = 5, **headers: str) -> bytes:
    """So many SENDs with numbers in them."""
    frames = [
        Frame("SEND", HEADERS | headers, b"%0*d" % (size, number))
        for number in range(first, first + count)
    ]
    return b"".join(map(encode, frames))


def subscriber(broker: Broker, version: str = V12, id: str = "0", **headers: str) -> Client:
    """Connect, and subscribe to the topic."""
    client = Client(broker).connect(version)
    return client.send("SUBSCRIBE", id=id, destination="/topic/a", **headers)


def numbers(frames: list[Frame]) -> list[int]:
    """What the messages say."""
    return [int(frame.body) for frame in frames if frame.command == "MESSAGE"]


class Rights:
    """Who may do what is answered by what ``answer`` makes, for each question anew."""

    def __init__(self, answer: Callable[[], object]) -> None:
        self.answers: list[Any] = []
        self._answer = answer

    def authorize(self, *about: object) -> Any:
        """Answer, and remember it."""
        self.answers.append(self._answer())
        return self.answers[-1]


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many messages each run had that was published together."""
    found: list[int] = []
    publish_run = Topic.publish_run

    def publish(*arguments: object) -> int:
        found.append(publish_run(*arguments))  # type: ignore[arg-type]
        return found[-1]

    monkeypatch.setattr(Topic, "publish_run", publish)
    return found


def outcome(connect: Callable[[Broker], list[Client]], data: bytes, step: int) -> object:
    """What all clients get, and what is counted, when the first sends this, cut in steps."""
    broker = Broker(Limits(), "b")
    first, *others = connect(broker)
    for headers in ({}, {"priority": "50%"}):
        first.feed(sends(1, **headers))  # from now on it is known what such a message becomes
    for start in range(0, len(data), step):
        first.feed(data[start : start + step])
    written = [b"".join(each.session.data_to_send()) for each in (first, *others)]
    return written, {**broker.counted(), "bytes_in": 0}


@pytest.mark.parametrize(
    ("connect", "is_together"),
    [
        (lambda broker: [Client(broker).connect(), subscriber(broker)], True),
        (lambda broker: [subscriber(broker)], True),
        (lambda broker: [subscriber(broker) for _ in range(2)], True),
        (lambda broker: [subscriber(broker) for _ in range(6)], True),
        (lambda broker: [subscriber(broker, id="50%d"), subscriber(broker, id="50%d")], True),
        (lambda broker: [subscriber(broker), subscriber(broker, id="1")], False),
        (lambda broker: [subscriber(broker), subscriber(broker, V10)], False),
        (lambda broker: [subscriber(broker), subscriber(broker, ack="client")], False),
        (lambda broker: [Client(broker).connect()], False),
    ],
)
def test_the_same_bytes_and_counters(connect, is_together, runs):
    """Whoever is subscribed, a packet of many SENDs is what the same bytes are one by one."""
    data = sends(20) + sends(20, priority="50%") + sends(3, size=9) + sends(20, 20)
    whole = outcome(connect, data, len(data))
    assert (sum(runs) > 40) is is_together
    runs.clear()
    assert whole == outcome(connect, data, 1)
    assert runs == []
    assert whole == outcome(connect, data, 700)


def test_what_is_not_asked_for_together_is_not_taken_together(runs):
    """With somebody to ask about each message, or for each receipt, it is asked and given."""
    broker, rights = Broker(), Rights(lambda: True)
    subscriber(broker)
    client = Client(broker, Policy(Security(authorizer=rights))).connect()
    client.feed(sends(10))
    assert len(rights.answers) == 10
    other = Client(broker).connect()
    other.feed(b"".join(encode(Frame("SEND", HEADERS | {"receipt": "r"}, b"x")) for _ in range(9)))
    assert other.commands() == ["RECEIPT"] * 9
    assert runs == []


def test_a_decision_is_awaited_by_all_behind_a_frame_that_was_cut():
    """SENDs behind one that waits are neither read nor published before the answer."""
    broker, rights = Broker(), Rights(Deferred)
    reader = subscriber(broker)
    client = Client(broker, Policy(Security(authorizer=rights))).connect()
    data = sends(5)
    client.feed(data[:20]).feed(data[20:])
    for count in range(1, 6):
        assert len(rights.answers) == count
        client.session.decide(count, True, client.now)
    assert numbers(reader.read()) == list(range(5))


def test_a_subscriber_that_is_paused_holds_each_message(runs):
    """The bound of what is held is kept as ever, and the others go on."""
    broker = Broker(Limits(max_outgoing_bytes=2_000))
    publisher, slow, quick = Client(broker).connect(), subscriber(broker), subscriber(broker)
    publisher.feed(sends(1))
    assert numbers(slow.read()) == numbers(quick.read()) == [0]
    slow.session.pause()
    publisher.feed(sends(40))
    assert sum(runs) < 40
    assert numbers(quick.read()) == list(range(40))
    *messages, error = slow.read()
    assert numbers(messages) == list(range(len(messages)))
    assert error.headers["code"] == "slow-consumer"
    assert broker.counters.slow_consumers == 1
    runs.clear()
    publisher.feed(sends(40))
    assert numbers(quick.read()) == list(range(40))
    assert sum(runs) > 30


def test_nothing_is_published_behind_the_end_of_the_publisher():
    """One that is its own slow subscriber is ended by its own message; the rest is dropped."""
    broker = Broker(Limits(max_outgoing_bytes=2_000))
    other, own = subscriber(broker), subscriber(broker)
    own.session.pause()
    own.feed(sends(40))
    assert own.session.is_closed
    assert numbers(other.read()) == list(range(broker.counters.messages_in))
    assert broker.counters.messages_in < 40


def test_pieces_are_no_longer_than_a_transport_wants_to_keep(runs):
    """A consumer that is paused by one piece holds what comes behind it."""
    broker = Broker()
    publisher, reader = Client(broker).connect(), subscriber(broker, id="i" * 4_000)
    pieces: list[bytes] = []
    session = reader.session

    def write(piece: bytes) -> None:
        pieces.append(piece)
        if len(pieces) == 3:
            session.pause()

    session.write_to(write)
    publisher.feed(sends(30))
    assert len(pieces) == 3
    assert all(len(piece) <= PIECE_BYTES for piece in pieces)
    assert 0 < sum(runs) < 30
    session.resume()
    reader.parser.receive_data(b"".join(pieces))
    assert numbers(list(reader.parser.events_received())) == list(range(30))


def test_a_long_message_is_a_piece_by_itself():
    """However long it is, it goes, and in order."""
    broker = Broker()
    publisher, reader = Client(broker).connect(), subscriber(broker, id="i" * 10_000)
    publisher.feed(sends(8, size=1_500) + sends(8, first=8, size=1_500))
    assert numbers(reader.read()) == list(range(16))


def test_a_relay_sees_each_message():
    """Where somebody stands between publishing and delivering, nothing goes around."""
    seen = []

    class Relay(Broker):
        def publish(self, destination, headers, body):
            seen.append(body)
            super().publish(destination, headers, body)

    relay = Relay()
    client = subscriber(relay)
    client.feed(sends(10))
    assert len(seen) == 10
    assert numbers(client.read()) == list(range(10))


def test_what_follows_a_run_comes_behind_it():
    """A receipt for what is behind many messages in one packet comes after all of them."""
    broker = Broker()
    client = subscriber(broker)
    client.feed(sends(20) + encode(Frame("DISCONNECT", {"receipt": "bye"}, b"")))
    frames = client.read()
    assert numbers(frames) == list(range(20))
    assert [frame.command for frame in frames[20:]] == ["RECEIPT"]
    assert client.session.is_closed
