"""Who may come in, and who may do what: the contracts, as sessions ask them."""

import pytest

from morbid.mqsecurity import AcceptAll, Identity, Verdict
from stompservice.protocol import V10, V12


class Recorder:
    """Remembers what it was asked; allows what is in ``allowed``."""

    def __init__(self, *allowed):
        self.allowed = allowed
        self.asked = []

    def authenticate(self, login, passcode, peer):
        self.asked.append((login, passcode, peer))
        return Identity(login) if "login" in self.allowed else None

    def authorize(self, identity, operation, destination, headers):
        self.asked.append((identity.name, operation, destination, dict(headers)))
        return operation in self.allowed


def test_accept_all(client):
    """By default everybody comes in, with or without a name."""
    client.feed(b"CONNECT\n\n\0")
    assert client.commands() == ["CONNECTED"]
    assert AcceptAll().authenticate("ada", "", "").groups == ("ada",)


@pytest.mark.parametrize("version", [V10, V12])
def test_login_refused(guarded, version):
    """A refused login has the text of old, is counted, and closes in every version."""
    recorder = Recorder()
    client = guarded(login=None, authenticator=recorder)
    headers = {} if version == V10 else {"accept_version": version}
    client.send("CONNECT", login="guest", passcode="guess", **headers)
    frame = client.one()
    assert frame.headers["message"] == "Invalid ID or password"
    assert frame.body == b"Invalid ID or password"
    assert frame.headers["code"] == "login-refused"
    assert client.is_closed
    assert recorder.asked == [("guest", "guess", "192.0.2.1")]
    assert client.session.broker.counters.logins_refused == 1


@pytest.mark.parametrize(
    ("allowed", "command", "message", "body"),
    [
        ((), "SUBSCRIBE", "CREATE error", b"Not authorized to create queue"),
        ((), "SEND", "CREATE error", b"Not authorized to create queue"),
        (("create",), "SUBSCRIBE", "READ error", b"Not authorized to read queue"),
        (("create",), "SEND", "WRITE error", b"Not authorized to write to queue"),
    ],
)
@pytest.mark.parametrize("version", [V10, V12])
def test_rights_refused(guarded, version, allowed, command, message, body):
    """Each refusal has the text of old; a 1.0 connection goes on, later ones close."""
    client = guarded(version=version, authorizer=Recorder(*allowed))
    client.send(command, destination="/topic/a", id="0", receipt="r")
    frame = client.one()
    assert (frame.headers["message"], frame.body) == (message, body)
    assert frame.headers["receipt-id"] == "r"
    assert client.is_closed == (version == V12)
    assert client.session.broker.destinations == {}


def test_create_is_asked_once(guarded):
    """``create`` is asked for what does not exist yet, then only ``subscribe`` or ``send``."""
    recorder = Recorder("create", "subscribe", "send")
    client = guarded(authorizer=recorder)
    client.subscribe("/t", own="1").send("SEND", destination="/t")
    client.send("UNSUBSCRIBE", id="0")
    assert [asked[:3] for asked in recorder.asked] == [
        ("guest", "create", "/t"),
        ("guest", "subscribe", "/t"),
        ("guest", "send", "/t"),
    ]
    assert recorder.asked[1][3] == {"destination": "/t", "id": "0", "own": "1"}


def test_send_in_a_transaction_is_asked_at_once(guarded):
    """What a transaction may not do is refused before it is committed."""
    client = guarded(authorizer=Recorder("create"))
    client.send("BEGIN", transaction="t").send("SEND", destination="/t", transaction="t")
    assert client.refusal() == "write-refused"


def test_nothing_but_true_is_true(guarded):
    """An authorizer that returns something odd has refused."""

    class Odd:
        def authorize(self, identity, operation, destination, headers):
            return "yes"

    assert guarded(authorizer=Odd()).subscribe("/t").refusal() == "create-refused"


def test_logout(guarded):
    """An identity that wants to know is told when its connection has ended."""
    ended = []

    class Doorkeeper:
        def authenticate(self, login, passcode, peer):
            identity = type("User", (), {"name": login})()
            identity.logout = lambda: ended.append(login)
            return identity

    client = guarded(authenticator=Doorkeeper())
    client.session.connection_lost()
    client.session.connection_lost()
    assert ended == ["guest"]


class Reviewer:
    """Gives the verdicts it was made with, by event; remembers what it saw."""

    def __init__(self, **verdicts):
        self.verdicts = verdicts
        self.seen = []

    def review(self, event, subject, body):
        self.seen.append((event, dict(subject), body))
        return self.verdicts.get(event, Verdict())

    def notify(self, event, subject):
        self.seen.append((event, dict(subject), None))


def test_reviewer_sees_everything(guarded):
    """A reviewer sees whole frames with the name of who sent them."""
    reviewer = Reviewer()
    client = guarded(reviewer=reviewer, version=V10)
    client.send("SUBSCRIBE", destination="/t").send("SEND", b"x", destination="/t", username="me")
    client.send("UNSUBSCRIBE", destination="/t").send("DISCONNECT")
    assert reviewer.seen == [
        ("connect", {"username": "guest", "password": ""}, None),
        ("subscribe", {"destination": "/t", "username": "guest"}, None),
        (
            "send",
            {"destination": "/t", "username": "guest", "content-length": "1"},
            b"x",
        ),
        ("unsubscribe", {"destination": "/t", "username": "guest"}, None),
        ("disconnect", {"username": "guest"}, None),
    ]


@pytest.mark.parametrize(
    ("event", "code"),
    [("connect", "login-refused"), ("subscribe", "read-refused"), ("send", "write-refused")],
)
def test_reviewer_refuses(guarded, event, code):
    """What the reviewer refuses is refused with the usual codes."""
    client = guarded(login=None, reviewer=Reviewer(**{event: Verdict(is_allowed=False)}))
    client.send("CONNECT", accept_version="1.2", host="x")
    if event != "connect":
        assert client.commands() == ["CONNECTED"]
        client.send(event.upper(), destination="/t", id="0")
    assert client.refusal() == code


def test_reviewer_changes_the_body(guarded):
    """A changed body is delivered with its own length, also out of a transaction."""
    client = guarded(reviewer=Reviewer(send=Verdict(body=b"bananas")))
    client.subscribe("/t").send("SEND", b"apples", destination="/t")
    client.send("BEGIN", transaction="t")
    client.send("SEND", b"apples", destination="/t", transaction="t")
    client.send("COMMIT", transaction="t")
    for frame in client.read():
        assert (frame.body, frame.headers["content-length"]) == (b"bananas", "7")
        assert "body" not in frame.headers
        assert "username" not in frame.headers


@pytest.mark.parametrize(("version", "subscription"), [(V10, None), (V12, "/auto")])
def test_reviewer_subscribes(guarded, version, subscription):
    """A reviewer may subscribe a connection, after its login is complete, and unsubscribe it."""
    reviewer = Reviewer(
        connect=Verdict(subscribe=("/auto", "/auto")), send=Verdict(unsubscribe=("/auto",))
    )
    client = guarded(version=version, reviewer=reviewer)
    client.send("SEND", b"x", destination="/auto").send("SEND", b"x", destination="/auto")
    assert client.one().headers.get("subscription") == subscription
    assert client.session.broker.subscription_count == 0


def test_reviewer_that_raises_at_the_end(guarded):
    """A notification that raises does not keep a connection from ending cleanly."""

    class Broken(Reviewer):
        def notify(self, event, subject):
            raise RuntimeError

    client = guarded(reviewer=Broken()).subscribe("/a").subscribe("/b", "1")
    client.send("UNSUBSCRIBE", id="0", receipt="r")
    assert client.commands() == ["RECEIPT"]
    client.session.connection_lost()
    assert client.session.broker.destinations == {}


def test_reviewer_subscribes_to_what_cannot_be(guarded):
    """A reviewer cannot subscribe anybody to a distributor either."""
    client = guarded(reviewer=Reviewer(send=Verdict(subscribe=("/pubsub/a",))))
    assert client.send("SEND", destination="/t").refusal() == "not-subscribable"
