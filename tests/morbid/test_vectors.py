"""The captured conversations of MorbidQ 0.8: what stays as it was, and what is corrected.

A capture is a list of (side, bytes). What the client wrote is fed in; ``play`` gives back what
the broker wrote to each, as frames, and whether it closed. Session numbers, message ids and
headers that MorbidQ did not have (code, content-length of an ERROR...) are not compared.
"""

from __future__ import annotations

import pytest

from morbid.mqsecurity import Identity, Security, Verdict
from morbid.policy import Policy
from stompservice.protocol import V10, FrameParser

NEW = {"code", "content-type", "content-length", "session", "message-id", "receipt-id"}


def frames_of(data: bytes) -> list[tuple[str, dict[str, str], bytes]]:
    """What was written, without what cannot be compared; every frame must end with NUL LF."""
    assert data == b"" or data.endswith(b"\0\n")
    parser = FrameParser(version=V10)
    parser.receive_data(data)
    return [
        (
            frame.command,
            {name: value for name, value in frame.headers.items() if name not in NEW},
            frame.body,
        )
        for frame in parser.events_received()
    ]


def play(client, trace):
    """Feed what the client wrote; returns (frames, closed) for each answer that was captured."""
    answers = []
    for side, text in trace:
        data = text.encode("latin-1")
        if side == "C":
            client.feed(data)
        else:
            written = b"".join(client.session.data_to_send())
            answers.append((frames_of(written), client.is_closed))
    return answers


def captured(trace):
    """What MorbidQ answered, in the same shape."""
    answers = []
    for side, text in trace:
        if side == "S":
            data = text.encode("latin-1")
            closed = data.endswith(b"<EOF>")
            answers.append((frames_of(data.removesuffix(b"<EOF>")), closed))
    return answers


@pytest.mark.parametrize(
    "name",
    [
        "connect",
        "connect with trailing newline + heartbeat newline",
        "pipelined subscribe",
        "bare destination",
        "newlines in body",
        "utf8 body",
        "header colon in value",
        "dup header",
        "queue retained",
        "empty login",
    ],
)
def test_as_it_was(client, vectors, name):
    """These conversations go as they always went."""
    assert play(client, vectors[name]) == captured(vectors[name])


def test_backlog_goes_to_the_first_consumer(new_client, vectors):
    """A queue keeps messages, and hands them to the first who comes, as it always did."""
    play(new_client(), vectors["queue retained"])
    assert play(new_client(), vectors["queue consume"]) == captured(vectors["queue consume"])


class Rights:
    """The sample policy of MorbidQ: the rights of a group are spelled in the name."""

    def authenticate(self, login, passcode, peer):
        is_known = login.startswith("usr") and passcode == login.replace("usr", "pwd")
        return Identity(login) if is_known else None

    def authorize(self, identity, operation, destination, headers):
        letter = {"create": "c", "subscribe": "r", "send": "w"}[operation]
        parts = destination.split("/")
        return identity.name in parts and letter in parts


@pytest.mark.parametrize("name", ["auth good", "auth bad"])
def test_rights_as_they_were(new_client, vectors, name):
    """Refusals have the texts of old, and leave the connection open where they did."""
    client = new_client(policy=Policy(Security(Rights(), Rights())))
    assert play(client, vectors[name]) == captured(vectors[name])


class SampleService:
    """What the sample RestQ service of MorbidQ answered."""

    def review(self, event, subject, body):
        if subject["username"] == "no" + event:
            return Verdict(is_allowed=False)
        return Verdict(
            body=body.replace(b"apples", b"bananas") if body else None,
            subscribe=("room1",) if subject.get("destination") == "auto" else (),
        )

    def notify(self, event, subject):
        pass


@pytest.fixture
def restq_client(new_client):
    """A client of a broker with a RestQ service."""
    return new_client(policy=Policy(Security(reviewer=SampleService())))


# What is corrected: the fact sheet says why.


def codes(client, trace):
    """Play a conversation; the codes of the ERROR frames in it, and whether it was closed."""
    seen = []
    for side, text in trace:
        if side == "C":
            client.feed(text.encode("latin-1"))
    seen = [frame.headers["code"] for frame in client.read() if frame.command == "ERROR"]
    return seen, client.is_closed


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("lowercase connect", "malformed-frame"),
        ("garbage", "malformed-frame"),
        ("header no colon", "malformed-frame"),
        ("wrong content-length small", "malformed-frame"),
        ("send before connect", "not-connected"),
        ("second connect", "already-connected"),
        ("unknown command", "unknown-command"),
        ("no destination", "missing-header"),
        ("subscribe no destination", "missing-header"),
        ("pubsub subscribe", "not-subscribable"),
        ("ACK", "unknown-message"),
    ],
)
def test_said_instead_of_swallowed(client, vectors, name, code):
    """What was dropped without a word, or closed without a reason, is an ERROR and a close."""
    assert codes(client, vectors[name]) == ([code], True)


def test_stomp_command(client, vectors):
    """STOMP logs in."""
    play(client, vectors["STOMP command"])
    assert client.session.version == "1.2"


def test_crlf(client, vectors):
    """A CONNECT with CR LF is recognized, and answered."""
    ((frames, closed),) = play(client, vectors["crlf connect"])
    assert [command for command, _, _ in frames] == ["CONNECTED"]
    assert not closed


def test_version_is_negotiated(client, vectors):
    """accept-version and heart-beat have an effect."""
    ((frames, _),) = play(client, vectors["connect accept-version"])
    assert frames[0][1]["version"] == "1.2"
    assert "heart-beat" in frames[0][1]


def test_receipts_and_subscription_ids(client, vectors):
    """SUBSCRIBE and SEND get receipts; MESSAGE names the subscription and no receipt; ACK works."""
    answers = play(client, vectors["topic echo"])
    assert [[frame[0] for frame in frames] for frames, _ in answers] == [
        ["CONNECTED"],
        ["RECEIPT"],
        ["MESSAGE", "RECEIPT"],
        ["MESSAGE"],
        ["ERROR"],  # its message-id is one of MorbidQ's, not of ours
    ]
    message = answers[2][0][0]
    assert message[1] == {"destination": "/topic/a", "foo": "bar", "subscription": "7"}


def test_nul_in_body(client, vectors):
    """content-length is honored, so a body may hold NUL."""
    answers = play(client, vectors["nul in body w/ content-length"])
    assert [frames[0][2] for frames, _ in answers if frames][1:] == [b"he\0lo", b"next"]


def test_transactions(client, vectors):
    """BEGIN begins a transaction."""
    answers = play(client, vectors["BEGIN"])
    assert answers[-1] == ([], False)


def test_disconnect_with_receipt(client, vectors):
    """DISCONNECT gets its receipt before the connection closes."""
    frames, closed = play(client, vectors["disconnect w receipt"])[-1]
    assert [command for command, _, _ in frames] == ["RECEIPT"]
    assert closed


def test_two_ids_are_two_subscriptions(client, vectors):
    """Two SUBSCRIBE with ids get two copies; UNSUBSCRIBE by destination still ends both."""
    answers = play(client, vectors["double subscribe"])
    assert [frame[1]["subscription"] for frame in answers[2][0]] == ["1", "2"]
    assert answers[-1] == ([], False)


def test_unsubscribe_by_id(client, vectors):
    """UNSUBSCRIBE by id alone ends the subscription."""
    play(client, vectors["unsubscribe by id only"])
    assert client.session.broker.destinations == {}


def test_restq_refusals(new_client, vectors):
    """A login that RestQ refuses ends as it did; a message it refuses is no longer swallowed."""
    policy = Policy(Security(reviewer=SampleService()))
    name = "restq noconnect"
    assert play(new_client(policy=policy), vectors[name]) == captured(vectors[name])
    assert codes(new_client(policy=policy), vectors["restq nosend"]) == (["write-refused"], False)


def test_restq_changes_messages(restq_client, vectors):
    """A changed message has no headers that nobody sent, and the original body nowhere."""
    answers = play(restq_client, vectors["restq ok"])
    assert answers[2] == ([("MESSAGE", {"destination": "room1"}, b"like bananas")], False)


def test_restq_and_pipelining(restq_client, vectors):
    """Frames that arrive behind a CONNECT are carried out after it."""
    ((frames, closed),) = play(restq_client, vectors["restq pipelined"])
    assert [command for command, _, _ in frames] == ["CONNECTED"]
    assert not closed
    assert list(restq_client.session.broker.destinations) == ["pp"]


def test_every_vector_is_spoken_of(vectors):
    """Each capture is in one of these tests."""
    from pathlib import Path

    source = Path(__file__).read_text("utf-8")
    assert [name for name in vectors if f'"{name}"' not in source] == []
