"""Each bound: what happens when it is reached. (Time and connections: session and server.)"""

from dataclasses import fields
from pathlib import Path

import pytest

from morbid.errors import ConfigurationError
from morbid.limits import Limits


def test_too_many_headers(new_client):
    """One header too many is refused."""
    client = new_client(max_headers=3).connect()
    client.send("SEND", destination="/a", b="2", c="3")
    assert client.read() == []
    assert client.send("SEND", destination="/a", b="2", c="3", d="4").refusal() == "frame-too-large"


def test_header_line_too_long(new_client):
    """A header line that is too long is refused before it is there."""
    client = new_client(max_header_line_bytes=50).connect()
    assert client.feed(b"SEND\nx:" + b"y" * 60).refusal() == "frame-too-large"


def test_head_too_long(new_client):
    """Headers that are too much together are refused."""
    client = new_client(max_head_bytes=100).connect()
    headers = {f"h{number}": "x" * 20 for number in range(10)}
    assert client.send("SEND", **headers).refusal() == "frame-too-large"


def test_body_too_long(new_client):
    """A body that is too long is refused when it is announced, or when it is there."""
    limits = {"max_body_bytes": 10}
    client = new_client(**limits).connect()
    assert (
        client.feed(b"SEND\ndestination:/a\ncontent-length:11\n\n").refusal() == "frame-too-large"
    )
    client = new_client(**limits).connect()
    client.feed(b"SEND\ndestination:/a\n\n" + b"x" * 10)
    assert client.read() == []
    assert client.feed(b"xx").refusal() == "frame-too-large"


@pytest.mark.parametrize("data", [b"CONNECT\n" + b"a:b\n" * 60, b"CONNECT\n\n" + b"x" * 101])
def test_too_much_before_login(new_client, data):
    """Before the login much less is taken, in head and body."""
    assert new_client(max_login_bytes=100).feed(data).refusal() == "frame-too-large"


def test_larger_frames_after_login(new_client):
    """After it, the usual limits hold."""
    client = new_client(max_login_bytes=100).connect()
    client.send("SEND", b"x" * 200, destination="/a", receipt="r")
    assert client.commands() == ["RECEIPT"]


def test_too_many_subscriptions(new_client):
    """One subscription too many is refused; ending one makes room."""
    client = new_client(max_subscriptions=2).connect()
    client.subscribe("/a", "1").subscribe("/b", "2").send("UNSUBSCRIBE", id="1")
    client.subscribe("/c", "3")
    assert client.read() == []
    assert client.subscribe("/d", "4").refusal() == "too-many-subscriptions"


def test_too_many_destinations(new_client):
    """One destination too many is refused, for SUBSCRIBE and for SEND to a new queue."""
    first = new_client(max_destinations=1).connect().subscribe("/topic/a")
    broker = first.session.broker
    assert new_client(broker).connect().subscribe("/b").refusal() == "too-many-destinations"
    sender = new_client(broker).connect().send("SEND", destination="/queue/a")
    assert sender.refusal() == "too-many-destinations"
    sender = new_client(broker).connect().send("SEND", destination="/topic/a")
    assert first.commands() == ["MESSAGE"]
    sender.send("BEGIN", transaction="t")
    sender.send("SEND", destination="/queue/a", transaction="t").send("COMMIT", transaction="t")
    assert sender.refusal() == "too-many-destinations"


@pytest.mark.parametrize(
    "limits",
    [
        {"max_queue_messages": 2},
        {"max_queue_bytes": 300},
        {"max_total_queue_bytes": 300},
    ],
)
def test_full_queue(new_client, limits):
    """A message too much for a queue is refused, and the others are kept."""
    client = new_client(**limits).connect()
    for _ in range(2):
        client.send("SEND", b"x", destination="/queue/a")
    assert client.read() == []
    assert client.send("SEND", b"x", destination="/queue/a").refusal() == "queue-full"
    broker = client.session.broker
    assert broker.queue_depths() == {"/queue/a": 2}
    assert broker.counters.dropped_full == 1
    assert new_client(broker).connect().subscribe("/queue/a").bodies() == [b"x", b"x"]
    assert broker.queue_bytes == 0


def test_full_queue_leaves_1_0_open(new_client):
    """A 1.0 client whose message was refused may go on."""
    client = new_client(max_queue_messages=1).connect("1.0")
    client.send("SEND", destination="/queue/a").send("SEND", destination="/queue/a")
    assert client.one().headers["code"] == "queue-full"
    assert not client.is_closed


def test_messages_out_for_acknowledgement_count(new_client):
    """What is sent and not acknowledged may come back, so it counts for the queue's bound."""
    client = new_client(max_queue_messages=1).connect().subscribe("/queue/a", ack="client")
    client.send("SEND", destination="/queue/a")
    assert client.commands() == ["MESSAGE"]
    assert client.send("SEND", destination="/queue/a").refusal() == "queue-full"


def test_too_much_unacknowledged(new_client):
    """A connection that does not acknowledge is passed over until it does."""
    client = new_client(max_unacknowledged=2).connect().subscribe("/queue/a", ack="client")
    for number in range(5):
        client.send("SEND", b"%d" % number, destination="/queue/a")
    messages = client.read()
    assert [frame.body for frame in messages] == [b"0", b"1"]
    client.send("ACK", id=messages[1].headers["ack"])
    assert client.bodies() == [b"2", b"3"]


def test_too_many_nacks(new_client, leaves_nothing):
    """A message that nobody wants is dropped after so many NACKs, and counted."""
    client = new_client(max_nacks=3).connect().subscribe("/queue/a", ack="client")
    client.send("SEND", b"x", destination="/queue/a")
    for _ in range(4):
        client.send("NACK", id=client.one().headers["ack"])
    assert client.read() == []
    assert client.session.broker.counters.dropped_refused == 1
    assert client.session.broker.queue_bytes == 0


def test_too_many_transactions(new_client):
    """One open transaction too many is refused."""
    client = new_client(max_transactions=1).connect()
    client.send("BEGIN", transaction="1").send("COMMIT", transaction="1")
    client.send("BEGIN", transaction="2")
    assert client.read() == []
    assert client.send("BEGIN", transaction="3").refusal() == "too-many-transactions"


@pytest.mark.parametrize("limits", [{"max_transaction_frames": 2}, {"max_transaction_bytes": 500}])
def test_transaction_too_large(new_client, limits):
    """All open transactions together hold so much, and no more; ending one makes room."""
    client = new_client(**limits).connect()
    client.send("BEGIN", transaction="1").send("BEGIN", transaction="2")
    for name in ("1", "2"):
        client.send("SEND", b"x" * 200, destination="/a", transaction=name)
    client.send("ABORT", transaction="1")
    client.send("SEND", b"x" * 200, destination="/a", transaction="2")
    assert client.read() == []
    client.send("SEND", b"x" * 200, destination="/a", transaction="2")
    assert client.refusal() == "transaction-too-large"


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"max_headers": "many"}, "max_headers: expected a number, got 'many'"),
        ({"max_headers": "0"}, "max_headers: expected at least 1, got 0"),
        ({"max_headers": "1.5"}, "max_headers: expected a number, got '1.5'"),
        ({"login_seconds": "nan"}, "login_seconds: expected at least 0.01, got nan"),
        ({"login_seconds": "inf"}, "login_seconds: expected at least 0.01, got inf"),
    ],
)
def test_impossible_bounds(options, problem):
    """A bound that is no number, or out of range, is one sentence."""
    with pytest.raises(ConfigurationError) as caught:
        Limits.from_options(options)
    assert str(caught.value) == problem


def test_bounds_are_read_from_options():
    """Options that are bounds are read, others passed over."""
    limits = Limits.from_options({"max_headers": "7", "login_seconds": "1.5", "port": "1"})
    assert (limits.max_headers, limits.login_seconds) == (7, 1.5)
    assert limits.max_body_bytes == Limits().max_body_bytes


def test_every_bound_is_tested():
    """The name of each bound appears in a test, and each says what it does."""
    tests = "".join(path.read_text("utf-8") for path in Path(__file__).parent.glob("test_*.py"))
    for bound in fields(Limits):
        assert bound.name in tests, bound.name
        assert bound.metadata["help"], bound.name
