"""Advisories and the control path: the site's own doors."""

import json

import pytest

from morbid.mqsecurity import Identity, Security
from morbid.policy import Policy


class Doorkeeper:
    """Lets everybody in, with a session claim."""

    def authenticate(self, login, passcode, peer):
        return Identity(login, session=f"s-{login}")


POLICY = Policy(
    Security(Doorkeeper()),
    advisory_destination="/queue/advisories",
    control_destination="/control",
    site_logins=frozenset({"site"}),
)


@pytest.fixture
def site(new_client):
    """The site, subscribed to its advisories."""
    site = new_client(policy=POLICY).connect(login="site").subscribe("/queue/advisories")
    site.read()
    return site


@pytest.fixture
def ada(new_client, site):
    """A client of the site."""
    ada = new_client(policy=POLICY).connect(login="ada")
    site.read()
    return ada


def told(site):
    """The advisories that have come."""
    frames = site.read()
    for frame in frames:
        assert frame.headers["event"] == json.loads(frame.body)["event"]
        assert frame.headers["content-type"] == "application/json"
    return [json.loads(frame.body) for frame in frames]


def test_advisories(site, new_client):
    """The site hears of every connection, subscription and end of them."""
    ada = new_client(policy=POLICY).connect(login="ada")
    ada.subscribe("/topic/a").send("UNSUBSCRIBE", id="0").subscribe("/topic/b")
    ada.session.connection_lost()
    who = {"login": "ada", "session": "s-ada", "connection": 2}
    assert told(site) == [
        {"event": "connected", **who},
        {"event": "subscribed", "destination": "/topic/a", **who},
        {"event": "unsubscribed", "destination": "/topic/a", **who},
        {"event": "subscribed", "destination": "/topic/b", **who},
        {"event": "disconnected", **who},
    ]


def test_who_never_logged_in_is_not_told_of(site, new_client):
    """A connection that ends before its login is no event."""
    new_client(policy=POLICY).session.connection_lost()
    assert told(site) == []


def test_advisories_that_nobody_reads(new_client):
    """A full queue of advisories costs nobody anything but the advisories."""
    broker = new_client(max_queue_messages=1).session.broker
    ada = new_client(broker, POLICY).connect(login="ada").subscribe("/topic/a")
    assert ada.send("SEND", b"x", destination="/topic/a").bodies() == [b"x"]
    assert broker.counters.dropped_full == 1


@pytest.mark.parametrize(
    ("header", "value", "code"),
    [
        ("disconnect_login", "ada", "disconnected"),
        ("disconnect_session", "s-ada", "disconnected"),
    ],
)
def test_control(site, ada, header, value, code):
    """The site ends the connections of a login or a session by a SEND, and has a receipt."""
    site.send("SEND", destination="/control", receipt="r", **{header: value})
    assert [frame.command for frame in site.read()] == ["MESSAGE", "RECEIPT"]
    assert ada.refusal() == code


def test_control_of_nobody(site, ada):
    """Ending connections that are not there is no mistake."""
    site.send("SEND", destination="/control", disconnect_login="bob", receipt="r")
    assert site.commands() == ["RECEIPT"]
    assert not ada.is_closed


def test_control_without_a_command(site):
    """A control message that says nothing is refused."""
    assert site.send("SEND", destination="/control").refusal() == "bad-header"


@pytest.mark.parametrize(
    ("command", "destination", "code"),
    [
        ("SEND", "/control", "write-refused"),
        ("SUBSCRIBE", "/control", "read-refused"),
        ("SEND", "/queue/advisories", "write-refused"),
        ("SUBSCRIBE", "/queue/advisories", "read-refused"),
    ],
)
def test_doors_are_the_sites_alone(ada, command, destination, code):
    """Nobody else reads advisories, forges them, or gives commands."""
    ada.send(command, destination=destination, id="0", disconnect_login="site")
    assert ada.refusal() == code


def test_doors_are_closed_by_default(new_client):
    """Without a setting there are no such doors."""
    client = new_client().connect().subscribe("/control")
    client.send("SEND", destination="/control", disconnect_login="guest")
    assert client.commands() == ["MESSAGE"]
