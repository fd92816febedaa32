"""stomp.py, somebody else's client, in its three versions, against morbid and RabbitMQ.

Every test holds for both; what they do not do alike has its line in ``test_differences``.
Tests that ask for more than the specification promises are for morbid alone.
"""

from __future__ import annotations

import queue
import re
import threading
import uuid
from functools import partial

import pytest
import stomp

pytestmark = pytest.mark.functional

TIMEOUT = 60

CONNECTIONS = {
    "1.0": stomp.Connection10,
    "1.1": stomp.Connection11,
    "1.2": stomp.Connection12,
}


class Peer(stomp.ConnectionListener):
    """One stomp.py connection; what comes is kept in queues by kind."""

    def __init__(self, version: str, port: int, **settings: object) -> None:
        self.version = version
        self.messages: queue.Queue = queue.Queue()
        self.receipts: queue.Queue = queue.Queue()
        self.errors: queue.Queue = queue.Queue()
        self.ended = threading.Event()
        settings.setdefault("auto_decode", False)
        if version != "1.0":
            settings.setdefault("vhost", "/")
        self.connection = CONNECTIONS[version](
            [("127.0.0.1", port)], reconnect_attempts_max=1, **settings
        )
        self.connection.set_listener("peer", self)
        self.connected: dict[str, str] = {}
        self.connection.connect("guest", "guest", wait=True)

    def on_connected(self, frame):
        self.connected = frame.headers

    def on_message(self, frame):
        self.messages.put(frame)

    def on_receipt(self, frame):
        self.receipts.put(frame.headers["receipt-id"])

    def on_error(self, frame):
        self.errors.put(frame)

    def on_disconnected(self):
        self.ended.set()

    def message(self):
        """The next message."""
        return self.messages.get(timeout=TIMEOUT)

    def bodies(self, count: int) -> list[bytes]:
        """The bodies of the next messages."""
        return [self.message().body for _ in range(count)]

    def confirmed(self, call, *arguments: object, **keywords: object) -> None:
        """Call with a receipt, and wait for it."""
        receipt = uuid.uuid4().hex
        call(*arguments, receipt=receipt, **keywords)
        assert self.receipts.get(timeout=TIMEOUT) == receipt

    def subscribe(self, destination: str, id: str = "0", **keywords: object) -> None:
        """Subscribe, and wait until it stands."""
        self.confirmed(self.connection.subscribe, destination, id, **keywords)

    def send(self, destination: str, body: object, **keywords: object) -> None:
        """Send, and wait until the broker has it."""
        self.confirmed(self.connection.send, destination, body, **keywords)

    def ack(self, frame, *, nack: bool = False, transaction: str | None = None) -> None:
        """Acknowledge, or refuse, a message as the version does it."""
        call = self.connection.nack if nack else self.connection.ack
        names = {"1.2": ["ack"], "1.1": ["message-id", "subscription"], "1.0": ["message-id"]}
        arguments = [frame.headers[name] for name in names[self.version]]
        if transaction is None:
            self.confirmed(call, *arguments)
        else:  # When that is confirmed, brokers do not agree on.
            call(*arguments, transaction=transaction)

    def vanish(self) -> None:
        """Close the socket without a word."""
        self.connection.transport.disconnect_socket()
        assert self.ended.wait(TIMEOUT)


@pytest.fixture(params=sorted(CONNECTIONS))
def version(request):
    """Each version of STOMP."""
    return request.param


@pytest.fixture(params=["morbid", "rabbitmq"])
def port(request):
    """Where each broker listens."""
    if request.param == "morbid":
        return request.getfixturevalue("broker_process").port
    return request.getfixturevalue("rabbitmq_port")


ONLY_MORBID = pytest.mark.parametrize("port", ["morbid"], indirect=True)


@pytest.fixture
def new_peer(port, version):
    """Connect stomp.py clients; those that are left are disconnected at the end."""
    peers = []

    def connect(**settings):
        peers.append(Peer(version, port, **settings))
        return peers[-1]

    yield connect
    for peer in peers:
        if peer.connection.is_connected():
            peer.connection.disconnect()
        assert peer.ended.wait(TIMEOUT)


@pytest.fixture
def peer(new_peer):
    """A connected client."""
    return new_peer()


@pytest.fixture
def name():
    """A name that no other test uses."""
    return uuid.uuid4().hex


def test_connected(peer, version):
    """stomp.py understands how we greet it, in the version it asked for."""
    assert peer.connected["session"]
    if version != "1.0":
        assert peer.connected["version"] == version
        assert re.match(r"(morbid|RabbitMQ)/\d", peer.connected["server"])


def test_topic(new_peer, name):
    """A topic's message reaches all, with its headers and a body of any bytes."""
    readers = [new_peer() for _ in range(3)]
    for reader in readers:
        reader.subscribe(f"/topic/{name}")
    sender = new_peer()
    body = "grüße\n\n".encode() + bytes(range(256))
    sender.send(f"/topic/{name}", body, headers={"own": "vålue"})
    for reader in readers:
        frame = reader.message()
        assert frame.body == body
        assert frame.headers["own"] == "vålue"
        assert frame.headers["destination"] == f"/topic/{name}"


@ONLY_MORBID
def test_bare_name(peer, name):
    """A bare uuid is a topic, as thywill used it; ``ack`` of a SEND means nothing."""
    peer.subscribe(name)
    peer.send(name, "text", headers={"type": "textMessage", "ack": "auto"})
    frame = peer.message()
    assert frame.body == b"text"
    assert frame.headers["type"] == "textMessage"
    assert "ack" not in frame.headers


def test_large_body(peer, name):
    """A megabyte arrives whole."""
    body = bytes(range(256)) * 4096
    peer.subscribe(f"/topic/{name}")
    peer.send(f"/topic/{name}", body)
    assert peer.message().body == body


def test_header_escapes(peer, name, version):
    """Colons, line ends and backslashes in headers survive as far as the version has them."""
    value = {"1.0": "a b", "1.1": "a:b\\c\nd", "1.2": "a:b\\c\nd\re"}[version]
    peer.subscribe(f"/topic/{name}")
    peer.send(f"/topic/{name}", "x", headers={"odd": value})
    assert peer.message().headers["odd"] == value


def test_several_subscriptions(peer, name, version):
    """Each subscription gets its copy, and ends alone."""
    for id in ("1", "2"):
        peer.subscribe(f"/topic/{name}", id)
    peer.send(f"/topic/{name}", "x")
    assert {peer.message().headers["subscription"] for _ in "12"} == {"1", "2"}
    peer.confirmed(peer.connection.unsubscribe, id="1")
    peer.send(f"/topic/{name}", "y")
    assert peer.message().headers["subscription"] == "2"


def test_queue_in_turn(new_peer, name):
    """A queue's messages go to its consumers in turn."""
    readers = [new_peer(), new_peer()]
    for reader in readers:
        reader.subscribe(f"/queue/{name}")
    for number in range(4):
        readers[0].send(f"/queue/{name}", str(number))
    assert readers[0].bodies(2) == [b"0", b"2"]
    assert readers[1].bodies(2) == [b"1", b"3"]


def test_queue_keeps(new_peer, name):
    """A queue keeps messages until somebody comes, in order."""
    sender = new_peer()
    for number in range(5):
        sender.send(f"/queue/{name}", str(number))
    reader = new_peer()
    reader.subscribe(f"/queue/{name}")
    assert reader.bodies(5) == [b"0", b"1", b"2", b"3", b"4"]


def test_cumulative_ack(new_peer, name):
    """In mode client, one ACK is for all up to it; the rest comes back, marked, in order."""
    reader = new_peer()
    for number in range(5):
        reader.send(f"/queue/{name}", str(number))
    reader.subscribe(f"/queue/{name}", ack="client")
    messages = [reader.message() for _ in range(5)]
    reader.ack(messages[2])
    reader.vanish()
    other = new_peer()
    other.subscribe(f"/queue/{name}")
    again = [other.message(), other.message()]
    assert [frame.body for frame in again] == [b"3", b"4"]
    assert all(frame.headers["redelivered"] == "true" for frame in again)


def test_individual_ack_and_nack(new_peer, name, version):
    """In mode client-individual each message is settled alone; a refused one goes elsewhere."""
    if version == "1.0":
        return  # There is neither.
    reader = new_peer()
    reader.subscribe(f"/queue/{name}", ack="client-individual")
    for number in range(3):
        reader.send(f"/queue/{name}", str(number))
    messages = [reader.message() for _ in range(3)]
    reader.ack(messages[1])
    reader.ack(messages[0], nack=True)
    again = reader.message()
    assert (again.body, again.headers["redelivered"]) == (b"0", "true")
    reader.ack(again)
    reader.vanish()
    other = new_peer()
    other.subscribe(f"/queue/{name}")
    assert other.message().body == b"2"


def test_transactions(peer, name):
    """COMMIT makes a transaction happen, in order; ABORT makes it as if it never was."""
    peer.subscribe(f"/topic/{name}")
    for body, end in (("lost", "abort"), ("1", "commit")):
        transaction = uuid.uuid4().hex
        peer.confirmed(peer.connection.begin, transaction)
        send = partial(peer.connection.send, f"/topic/{name}", transaction=transaction)
        send(body)
        send("2" if body == "1" else "lost")
        peer.send(f"/topic/{name}", "before")
        assert peer.message().body == b"before"
        peer.confirmed(getattr(peer.connection, end), transaction)
    assert peer.bodies(2) == [b"1", b"2"]


def test_disconnect(peer):
    """DISCONNECT is confirmed, and then the connection ends."""
    peer.connection.disconnect(receipt="bye")
    assert peer.receipts.get(timeout=TIMEOUT) == "bye"


def test_transactional_ack(new_peer, name):
    """An ACK in a transaction counts at COMMIT; aborted, it was never said."""
    reader = new_peer()
    for number in range(2):
        reader.send(f"/queue/{name}", str(number))
    reader.subscribe(f"/queue/{name}", ack="client")
    messages = [reader.message(), reader.message()]
    for message, end in zip(messages, ("commit", "abort"), strict=True):
        transaction = uuid.uuid4().hex
        reader.confirmed(reader.connection.begin, transaction)
        reader.ack(message, transaction=transaction)
        reader.confirmed(getattr(reader.connection, end), transaction)
    reader.vanish()
    other = new_peer()
    other.subscribe(f"/queue/{name}")
    assert other.message().body == b"1"


@ONLY_MORBID
def test_unsubscribe_gives_back(new_peer, name):
    """What a subscription has not acknowledged goes to others when it ends."""
    reader = new_peer()
    reader.send(f"/queue/{name}", "x")
    reader.subscribe(f"/queue/{name}", "1", ack="client")
    assert reader.message().body == b"x"
    reader.confirmed(reader.connection.unsubscribe, id="1")
    reader.subscribe(f"/queue/{name}", "2")
    frame = reader.message()
    assert (frame.body, frame.headers["redelivered"]) == (b"x", "true")
    assert frame.headers["subscription"] == "2"


@ONLY_MORBID
def test_refused(peer, version):
    """What is refused comes as an ERROR that stomp.py understands, and the connection ends."""
    peer.connection.send_frame("ABORT", {"transaction": "never begun", "receipt": "r"})
    frame = peer.errors.get(timeout=TIMEOUT)
    assert frame.headers["message"] == "Unknown transaction"
    assert frame.headers["receipt-id"] == "r"


def test_heart_beats(new_peer, name, version):
    """Heart-beats of both sides keep a silent connection alive."""
    if version == "1.0":
        assert new_peer().connected.get("heart-beat", "0,0") == "0,0"
        return
    peer = new_peer(heartbeats=(1000, 1000))
    arrived: queue.Queue = queue.Queue()
    peer.on_heartbeat = lambda: arrived.put(True)
    for _ in range(3):
        arrived.get(timeout=TIMEOUT)
    peer.subscribe(f"/topic/{name}")
    peer.send(f"/topic/{name}", "alive")
    assert peer.message().body == b"alive"
