"""What each command does, in each version of STOMP."""

import pytest

from morbid.session import COMMANDS, State
from stompservice.protocol import V10, V11, V12
from stompservice.protocol.spec import CLIENT_COMMANDS


def test_every_client_command_has_its_place():
    """The table of commands knows all of STOMP, and nothing else."""
    known = {command for commands in COMMANDS.values() for command in commands}
    assert known == CLIENT_COMMANDS
    assert State.DECIDING not in COMMANDS
    assert State.CLOSED not in COMMANDS


@pytest.mark.parametrize(
    ("command", "headers", "missing"),
    [
        ("SEND", {}, "destination"),
        ("SEND", {"destination": ""}, "destination"),
        ("SUBSCRIBE", {"id": "1"}, "destination"),
        ("SUBSCRIBE", {"destination": "/a"}, "id"),
        ("UNSUBSCRIBE", {"destination": "/a"}, "id"),
        ("ACK", {}, "id"),
        ("NACK", {"message-id": "x"}, "id"),
        ("BEGIN", {}, "transaction"),
        ("COMMIT", {}, "transaction"),
        ("ABORT", {}, "transaction"),
    ],
)
def test_missing_header(client, command, headers, missing):
    """A frame without a header that it has to have is refused, and the header named."""
    client.connect()
    client.send(command, **headers)
    frame = client.one()
    assert frame.headers["code"] == "missing-header"
    assert frame.body.endswith(missing.encode())
    assert client.is_closed


@pytest.mark.parametrize(
    ("version", "command", "headers", "code"),
    [
        (V10, "UNSUBSCRIBE", {}, "missing-header"),
        (V10, "ACK", {}, "missing-header"),
        (V11, "ACK", {"message-id": "x"}, "missing-header"),
        (V11, "ACK", {"message-id": "x", "subscription": "0"}, "unknown-message"),
        (V11, "NACK", {"message-id": "x", "subscription": "0"}, "unknown-message"),
        (V12, "ACK", {"id": "x"}, "unknown-message"),
        (V12, "ACK", {"id": "boot-1"}, "unknown-message"),
        (V12, "NACK", {"id": "boot-x"}, "unknown-message"),
        (V10, "ACK", {"message-id": "x"}, "unknown-message"),
        (V10, "NACK", {"message-id": "x"}, "unknown-command"),
        (V12, "UNSUBSCRIBE", {"id": "9"}, "unknown-subscription"),
        (V12, "SUBSCRIBE", {"id": "1", "destination": "/a", "ack": "maybe"}, "bad-header"),
        (V10, "SUBSCRIBE", {"destination": "/a", "ack": "client-individual"}, "bad-header"),
        (V12, "SUBSCRIBE", {"id": "1", "destination": "/pubsub/a"}, "not-subscribable"),
        (V12, "COMMIT", {"transaction": "t"}, "unknown-transaction"),
        (V12, "ABORT", {"transaction": "t"}, "unknown-transaction"),
        (V12, "SEND", {"destination": "/a", "transaction": "t"}, "unknown-transaction"),
    ],
)
def test_refused(client, version, command, headers, code):
    """What has no meaning is refused with its code, and closes."""
    client.connect(version)
    assert client.send(command, **headers).refusal() == code


def test_receipts_for_everything(client):
    """Every frame with a receipt header gets its RECEIPT after it was carried out."""
    client.connect()
    client.subscribe("/queue/a", ack="client", receipt="1")
    client.send("SEND", b"x", destination="/queue/a", receipt="2")
    client.send("BEGIN", transaction="t", receipt="3")
    client.send("ABORT", transaction="t", receipt="4")
    client.send("BEGIN", transaction="t", receipt="5")
    client.send("COMMIT", transaction="t", receipt="6")
    frames = client.read()
    (message,) = [frame for frame in frames if frame.command == "MESSAGE"]
    client.send("ACK", id=message.headers["ack"], receipt="7")
    client.send("UNSUBSCRIBE", id="0", receipt="8")
    client.send("DISCONNECT", receipt="9")
    frames += client.read()
    receipts = [frame.headers["receipt-id"] for frame in frames if frame.command == "RECEIPT"]
    assert receipts == [str(number) for number in range(1, 10)]


@pytest.mark.parametrize("version", [V10, V11, V12])
def test_message_headers(client, version):
    """MESSAGE repeats the sender's own headers, and none that are not theirs to give."""
    client.connect(version).subscribe("/topic/a", "7")
    client.send("BEGIN", transaction="t")
    client.send(
        "SEND",
        b"x",
        destination="/topic/a",
        transaction="t",
        message_id="forged",
        subscription="forged",
        redelivered="true",
        ack="auto",
        login="guest",
        passcode="secret",
        content_type="text/plain",
        own="a value",
    )
    client.send("COMMIT", transaction="t")
    frame = client.one()
    assert frame.headers == {
        "destination": "/topic/a",
        "message-id": "boot-1",
        "subscription": "7",
        "content-type": "text/plain",
        "content-length": "1",
        "own": "a value",
    }


def test_header_escapes_between_versions(new_client):
    """Header text survives from each version to each other as far as it can be written there."""
    value = "a:b\\c\nd\re"
    readers = {
        version: new_client().connect(version).subscribe("/t") for version in (V10, V11, V12)
    }
    new_client().connect(V12).send("SEND", destination="/t", odd=value)
    assert readers[V12].one().headers["odd"] == value
    assert readers[V11].one().headers["odd"] == value
    assert readers[V10].one().headers["odd"] == "a:b\\c d\re"


def test_body_with_nul(client):
    """A body of announced length may hold NUL, and arrives whole with its length."""
    client.connect().subscribe("/topic/n").send("SEND", b"he\0lo", destination="/topic/n")
    frame = client.one()
    assert (frame.body, frame.headers["content-length"]) == (b"he\0lo", "5")


@pytest.mark.parametrize(("length", "expected"), [(True, "2"), (False, None)])
def test_length_towards_1_0(client, length, expected):
    """1.0 clients get a content-length when the sender gave one: its absence means text."""
    client.connect(V10).subscribe("/t")
    client.feed(b"SEND\ndestination:/t\n%b\nhi\0" % (b"content-length:2\n" if length else b""))
    assert client.one().headers.get("content-length") == expected


def test_length_towards_later_versions(new_client):
    """From 1.1 on, every body has its length."""
    reader = new_client().connect(V11).subscribe("/t")
    new_client().connect(V10).feed(b"SEND\ndestination:/t\n\nhi\0")
    assert reader.one().headers["content-length"] == "2"


# Subscriptions.


def test_several_subscriptions_to_one_destination(client):
    """Each subscription gets its own copy, and can be ended alone."""
    client.connect().subscribe("/topic/a", "1").subscribe("/topic/a", "2")
    client.send("SEND", destination="/topic/a")
    assert [frame.headers["subscription"] for frame in client.read()] == ["1", "2"]
    client.send("UNSUBSCRIBE", id="1").send("SEND", destination="/topic/a")
    assert client.one().headers["subscription"] == "2"


def test_subscription_id_in_use(client):
    """A second SUBSCRIBE with the same id is refused."""
    client.connect().subscribe("/topic/a", "1").subscribe("/topic/b", "1")
    assert client.refusal() == "subscription-exists"


def test_1_0_without_ids(client, leaves_nothing):
    """In 1.0 the destination stands for the subscription, and there is one of each."""
    client.connect(V10)
    client.send("SUBSCRIBE", destination="/a").send("SUBSCRIBE", destination="/a", receipt="r")
    client.send("SEND", b"x", destination="/a")
    receipt, message = client.read()
    assert receipt.headers["receipt-id"] == "r"
    assert "subscription" not in message.headers
    client.send("UNSUBSCRIBE", destination="/a", receipt="r")
    assert client.commands() == ["RECEIPT"]


def test_1_0_unsubscribes_all_of_a_destination(client):
    """In 1.0, UNSUBSCRIBE by destination ends every subscription to it."""
    client.connect(V10).subscribe("/a", "1").subscribe("/a", "2").subscribe("/b", "3")
    client.send("UNSUBSCRIBE", destination="/a")
    assert list(client.session.broker.destinations) == ["/b"]


def test_1_0_survives_an_unknown_unsubscribe(client):
    """A 1.0 client hears that it was not subscribed, and goes on."""
    client.connect(V10).send("UNSUBSCRIBE", destination="/a")
    assert client.one().headers["code"] == "unknown-subscription"
    assert not client.is_closed


@pytest.mark.parametrize("destination", ["/topic/a", "0f8fad5b-d9cb-469f-a165-70867728950e", "x"])
def test_any_name_is_a_topic(client, destination, leaves_nothing):
    """A name without a known beginning is a topic, a bare uuid too; it goes when it is empty."""
    client.connect().subscribe(destination).send("SEND", b"x", destination=destination)
    assert client.bodies() == [b"x"]
    client.send("UNSUBSCRIBE", id="0")


# Acknowledgement.


def fill(client, count=3):
    """Put messages m0, m1... into /queue/a."""
    for number in range(count):
        client.send("SEND", b"m%d" % number, destination="/queue/a")


def acks(frames):
    """What the client acknowledges these messages by."""
    return [frame.headers["ack"] for frame in frames]


def test_auto_needs_no_ack(new_client, leaves_nothing):
    """In mode auto a message is done with when it is sent."""
    reader = new_client().connect().subscribe("/queue/a")
    fill(reader)
    assert all("ack" not in frame.headers for frame in reader.read())
    reader.session.connection_lost()


def test_client_mode_is_cumulative(new_client):
    """ACK in mode client settles the message and all before it, of this subscription only."""
    reader = new_client().connect()
    reader.subscribe("/queue/a", "1", ack="client").subscribe("/queue/b", "2", ack="client")
    fill(reader, 4)
    reader.send("SEND", b"other", destination="/queue/b")
    messages = reader.read()
    reader.send("ACK", id=acks(messages)[2])
    reader.session.connection_lost()
    other = new_client().connect().subscribe("/queue/a", "1").subscribe("/queue/b", "2")
    assert other.bodies() == [b"m3", b"other"]


def test_client_individual(new_client, leaves_nothing):
    """ACK in mode client-individual settles one message; the rest comes back in order."""
    reader = new_client().connect().subscribe("/queue/a", ack="client-individual")
    fill(reader)
    reader.send("ACK", id=acks(reader.read())[1])
    reader.session.connection_lost()
    other = new_client().connect().subscribe("/queue/a")
    frames = other.read()
    assert [frame.body for frame in frames] == [b"m0", b"m2"]
    assert all(frame.headers["redelivered"] == "true" for frame in frames)
    other.session.connection_lost()


@pytest.mark.parametrize("version", [V10, V11])
def test_ack_by_message_id(new_client, version, leaves_nothing):
    """Before 1.2, messages are acknowledged by message-id (1.1: and subscription)."""
    reader = new_client().connect(version).subscribe("/queue/a", ack="client")
    fill(reader)
    messages = reader.read()
    assert all("ack" not in frame.headers for frame in messages)
    also = {"subscription": "0"} if version == V11 else {}
    reader.send("ACK", message_id=messages[2].headers["message-id"], receipt="r", **also)
    assert reader.commands() == ["RECEIPT"]
    reader.session.connection_lost()


def test_ack_names_the_wrong_subscription(client):
    """1.1: an ACK whose subscription did not get the message is refused."""
    client.connect(V11).subscribe("/queue/a", ack="client").subscribe("/queue/b", "1")
    fill(client, 1)
    id = client.one().headers["message-id"]
    assert client.send("ACK", message_id=id, subscription="1").refusal() == "unknown-subscription"


def test_nack_goes_to_the_next(new_client):
    """NACK puts the message back in its place; the next consumer gets it, marked."""
    first = new_client().connect().subscribe("/queue/a", ack="client-individual")
    second = new_client().connect().subscribe("/queue/a", ack="client-individual")
    fill(first, 2)
    (got,) = first.read()
    (other,) = second.read()
    assert (got.body, other.body) == (b"m0", b"m1")
    first.send("NACK", id=got.headers["ack"])
    again = first.read() + second.read()
    assert [frame.body for frame in again] == [b"m0"]
    assert again[0].headers["redelivered"] == "true"
    assert again[0].headers["message-id"] == got.headers["message-id"]


def test_late_ack_does_not_settle_a_redelivery(client):
    """An ACK for a delivery that was taken back says nothing about the next delivery."""
    client.connect().subscribe("/queue/a", "1", ack="client")
    fill(client, 1)
    first = client.one()
    client.send("UNSUBSCRIBE", id="1").subscribe("/queue/a", "2", ack="client")
    second = client.one()
    assert first.headers["ack"] != second.headers["ack"]
    client.send("ACK", id=first.headers["ack"], receipt="r")
    assert client.commands() == ["RECEIPT"]
    assert client.session.broker.queue_depths() == {"/queue/a": 1}


def test_acknowledging_twice(client):
    """What is acknowledged already, or came from a topic, is acknowledged without effect."""
    client.connect().subscribe("/queue/a", "1", ack="client")
    client.subscribe("/topic/b", "2", ack="client-individual")
    fill(client, 1)
    client.send("SEND", destination="/topic/b")
    for id in acks(client.read()):
        client.send("ACK", id=id, receipt="1").send("ACK", id=id, receipt="2")
        client.send("NACK", id=id, receipt="3")
        assert client.commands() == ["RECEIPT"] * 3


def test_unsubscribe_gives_back(new_client):
    """UNSUBSCRIBE returns what the subscription has not acknowledged, before what came later."""
    reader = new_client().connect().subscribe("/queue/a", ack="client")
    fill(reader, 2)
    reader.read()
    reader.send("UNSUBSCRIBE", id="0")
    fill(reader, 1)
    reader.subscribe("/queue/a", "1")
    assert reader.bodies() == [b"m0", b"m1", b"m0"]


# Transactions.


def test_commit(client):
    """Frames of a transaction take effect at COMMIT, in order."""
    client.connect().subscribe("/topic/a")
    client.send("BEGIN", transaction="t")
    client.send("SEND", b"1", destination="/topic/a", transaction="t", receipt="r")
    client.send("SEND", b"2", destination="/topic/a")
    client.send("SEND", b"3", destination="/topic/a", transaction="t")
    assert [frame.body for frame in client.read() if frame.command == "MESSAGE"] == [b"2"]
    client.send("COMMIT", transaction="t", receipt="c")
    frames = client.read()
    assert [frame.body for frame in frames] == [b"1", b"3", b""]
    assert frames[-1].headers == {"receipt-id": "c"}


def test_abort(client, leaves_nothing):
    """ABORT forgets them."""
    client.connect().send("BEGIN", transaction="t")
    client.send("SEND", b"1", destination="/queue/a", transaction="t")
    client.send("ABORT", transaction="t").send("COMMIT", transaction="t")
    assert client.refusal() == "unknown-transaction"


def test_ack_in_a_transaction(new_client):
    """An ACK in a transaction settles at COMMIT, and not at all after ABORT."""
    reader = new_client().connect().subscribe("/queue/a", ack="client-individual")
    fill(reader, 2)
    first, second = acks(reader.read())
    for id, end in ((first, "ABORT"), (second, "COMMIT")):
        reader.send("BEGIN", transaction="t").send("ACK", id=id, transaction="t")
        assert reader.session.broker.queue_depths() == {"/queue/a": 2}
        reader.send(end, transaction="t")
    assert reader.session.broker.queue_depths() == {"/queue/a": 1}
    assert list(reader.session.subscriptions.unacknowledged) == [first]


def test_nack_in_a_transaction(client):
    """A NACK in a transaction gives back at COMMIT."""
    client.connect().subscribe("/queue/a", ack="client")
    fill(client, 1)
    client.send("BEGIN", transaction="t")
    client.send("NACK", id=client.one().headers["ack"], transaction="t")
    assert client.read() == []
    client.send("COMMIT", transaction="t")
    assert client.one().headers["redelivered"] == "true"


def test_commit_into_a_full_queue(new_client):
    """A transaction that does not fit into a queue does not happen at all."""
    client = new_client(max_queue_messages=2).connect().send("BEGIN", transaction="t")
    for destination in ("/queue/b", "/queue/a", "/queue/a", "/queue/a"):
        client.send("SEND", b"x", destination=destination, transaction="t")
    assert client.send("COMMIT", transaction="t").refusal() == "queue-full"
    assert client.session.broker.queue_depths() == {}


def test_two_transactions(client):
    """Transactions of one connection do not mix; one name is open once."""
    client.connect().subscribe("/topic/a")
    client.send("BEGIN", transaction="1").send("BEGIN", transaction="2")
    client.send("SEND", b"1", destination="/topic/a", transaction="1")
    client.send("SEND", b"2", destination="/topic/a", transaction="2")
    client.send("COMMIT", transaction="2")
    assert client.bodies() == [b"2"]
    assert client.send("BEGIN", transaction="1").refusal() == "transaction-exists"
