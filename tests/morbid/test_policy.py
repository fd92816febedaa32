"""Advisories and the control path: the site's own doors."""

import json
from dataclasses import dataclass

import pytest

from morbid.mqsecurity import Identity, Security
from morbid.policy import Policy


class Doorkeeper:
    """Lets everybody in, with a session claim."""

    def authenticate(self, login, passcode, peer):
        return Identity(login, session=f"s-{login}")


@dataclass
class Talkative:
    """An identity that says more of itself."""

    name: str
    about: dict[str, str]


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
    who = {"login": "ada", "session": "s-ada", "connection": 2, "broker": "boot"}
    assert told(site) == [
        {"event": "connected", "sequence": 3, **who},
        {"event": "subscribed", "destination": "/topic/a", "sequence": 4, **who},
        {"event": "unsubscribed", "destination": "/topic/a", "sequence": 5, **who},
        {"event": "subscribed", "destination": "/topic/b", "sequence": 6, **who},
        {"event": "disconnected", "sequence": 7, **who},
    ]


def test_advisories_hold_what_the_identity_is_about(site, new_client):
    """What an identity says about itself travels with each of its advisories."""
    assert site.session.account() == {"login": "site", "session": "s-site", "connection": 1}
    ada = new_client(policy=POLICY).connect(login="ada")
    site.read()
    ada.session.identity = Talkative("ada", {"application": "chat"})
    ada.subscribe("/topic/a")
    assert told(site)[0]["about"] == {"application": "chat"}


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


@pytest.mark.parametrize("header", [{"disconnect_login": "ada"}, {"disconnect_session": "s-ada"}])
def test_who_is_ended_may_be_kept_out(site, ada, new_client, header):
    """With refuse-seconds a login or session stays out for so long, and no longer."""
    site.send("SEND", destination="/control", refuse_seconds="60", **header)
    assert ada.refusal() == "disconnected"
    early = new_client(policy=POLICY).send("CONNECT", login="ada", host="/", accept_version="1.2")
    assert early.refusal() == "disconnected"
    new_client(policy=POLICY).connect(login="bob")
    late = new_client(policy=POLICY)
    late.now = 60.0
    late.connect(login="ada")


def test_those_kept_out_are_bounded(new_client):
    """Beyond the limit the one kept out for longest is let in again."""
    broker = new_client(max_refused_logins=2).session.broker
    for name in ("ada", "bob", "cleo"):
        broker.refuse_until(60.0, login=name)
    assert [broker.is_unwanted(n, None, 0.0) for n in ("ada", "bob", "cleo")] == [0, 1, 1]


@pytest.mark.parametrize("seconds", ["soon", "-1", "nan", "inf", "1e9"])
def test_refuse_seconds_is_a_time(site, ada, seconds):
    """What is no sensible time is refused, and nobody's connection ends."""
    site.send("SEND", destination="/control", disconnect_login="ada", refuse_seconds=seconds)
    assert site.refusal() == "bad-header"
    assert not ada.is_closed


def test_report_of_logins(site, ada, new_client):
    """The site can ask who is there: logins by name, with what they are subscribed to."""
    ada.subscribe("/topic/a").subscribe("/topic/b", id="1")
    new_client(policy=POLICY).connect(login="abe")
    site.read()
    site.send("SEND", destination="/control", report_logins="yes")
    (report,) = told(site)
    assert [each["login"] for each in report["logins"]] == ["abe", "ada", "site"]
    assert [each["destinations"] for each in report["logins"][:2]] == [[], ["/topic/a", "/topic/b"]]
    assert (report["after"], report["until"], report["next_connection"]) == (None, None, 4)


def test_a_long_report_comes_in_portions(site, new_client, monkeypatch):
    """Portions touch: every name is in exactly one, and a login's connections stay together."""
    monkeypatch.setattr("morbid.policy.REPORT_SIZE", 3)
    for login in ("ada", "bob", "bob", "bob", "cleo", "dan"):
        new_client(policy=POLICY).connect(login=login)
    site.read()
    site.send("SEND", destination="/control", report_logins="yes", receipt="r")
    frames = site.read()
    assert frames.pop().command == "RECEIPT"
    portions = [json.loads(frame.body) for frame in frames]
    assert [(each["after"], each["until"]) for each in portions] == [
        (None, "bob"),
        ("bob", "site"),
        ("site", None),
    ]
    names = [[login["login"] for login in each["logins"]] for each in portions]
    assert names == [["ada", "bob", "bob", "bob"], ["cleo", "dan", "site"], []]


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
