"""Subscriptions that end before their connection does, without a clock or a socket."""

from __future__ import annotations

import json

import pytest

from morbid.broker import Broker
from morbid.mqsecurity import Security
from morbid.policy import Policy
from morbid.session import BrokerSession
from tests.morbid.conftest import Client

ROOM, OWN = "/topic/room", "/topic/own"
ADVISORIES = "/queue/advisories"
WALL_OFFSET = 1_000_000.0


class Guest:
    """An identity."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.subscriptions_end_at: dict[str, float] = {}


class Doorkeeper:
    """Lets everybody in, and everybody listen until the time that a header says."""

    def authenticate(self, login: str, passcode: str, peer: str) -> Guest:
        """Let them in."""
        return Guest(login)

    def authorize(
        self, identity: Guest, operation: str, destination: str, headers: dict[str, str]
    ) -> bool:
        """Do as the frame says."""
        if "until" in headers:
            name = headers.get("for", destination)
            identity.subscriptions_end_at[name] = WALL_OFFSET + float(headers["until"])
        return True


@pytest.fixture
def broker() -> Broker:
    """A broker."""
    return Broker()


@pytest.fixture
def policy() -> Policy:
    """Its rules: with advisories."""
    doorkeeper = Doorkeeper()
    return Policy(
        Security(doorkeeper, doorkeeper),
        advisory_destination=ADVISORIES,
        site_logins=frozenset({"site"}),
    )


@pytest.fixture
def page(broker: Broker, policy: Policy) -> Client:
    """Somebody in a room until 50, and subscribed to something for good."""
    client = Client(broker, policy)
    client.session = BrokerSession(broker, policy, now=0.0, wall_offset=WALL_OFFSET)
    client.connect(login="page").send("SUBSCRIBE", id="room", destination=ROOM, until="50")
    return client.send("SUBSCRIBE", id="own", destination=OWN)


def say(broker: Broker, text: bytes) -> None:
    """Publish on both destinations."""
    for destination in (ROOM, OWN):
        broker.publish(destination, {}, text)


def pass_time(client: Client, now: float) -> None:
    """Call the core as its shell does."""
    client.now = now
    client.session.tick(now)


def heard(client: Client) -> list[tuple[str, bytes]]:
    """Which subscription has got what."""
    return [(frame.headers["subscription"], frame.body) for frame in client.read()]


def test_a_subscription_lapses_alone(broker: Broker, page: Client) -> None:
    """When its time is over it gets nothing more; the connection and all else go on."""
    assert page.session.next_deadline() == 50.0
    pass_time(page, 49.9)
    say(broker, b"in time")
    pass_time(page, 50.0)
    say(broker, b"late")
    assert heard(page) == [("room", b"in time"), ("own", b"in time"), ("own", b"late")]
    assert not page.is_closed
    assert page.session.next_deadline() is None
    assert ROOM not in broker.destinations


def test_a_renewal_keeps_it(broker: Broker, page: Client) -> None:
    """Whoever may listen longer loses nothing: any frame that is allowed may say so."""
    page.send("SUBSCRIBE", id="renew", destination="/topic/renew", until="90", **{"for": ROOM})
    assert page.session.deadline_moved
    assert page.session.next_deadline() == 90.0
    pass_time(page, 50.0)
    say(broker, b"still here")
    assert ("room", b"still here") in heard(page)


def test_a_late_renewal_begins_it_again(broker: Broker, page: Client) -> None:
    """What has lapsed goes on under its old id; what was sent meanwhile is not sent again."""
    pass_time(page, 60.0)
    say(broker, b"unheard")
    page.send("SUBSCRIBE", id="renew", destination="/topic/renew", until="90", **{"for": ROOM})
    say(broker, b"heard")
    assert [each for each in heard(page) if each[0] == "room"] == [("room", b"heard")]
    assert page.session.next_deadline() == 90.0


def test_one_that_comes_too_late_is_none(broker: Broker, page: Client) -> None:
    """A SUBSCRIBE whose time is over already is confirmed, and gets nothing."""
    page.send("SUBSCRIBE", id="late", destination="/topic/late", until="-1", receipt="r")
    broker.publish("/topic/late", {}, b"no")
    assert page.commands() == ["RECEIPT"]


def test_what_has_lapsed_can_be_unsubscribed(broker: Broker, page: Client) -> None:
    """UNSUBSCRIBE works as ever, and then the id is free again."""
    pass_time(page, 50.0)
    page.send("UNSUBSCRIBE", id="room", receipt="r")
    page.send("SUBSCRIBE", id="room", destination=ROOM, until="90", receipt="s")
    assert page.commands() == ["RECEIPT", "RECEIPT"]
    assert broker.subscription_count == 2


def test_a_connection_that_ends_leaves_nothing(broker: Broker, page: Client) -> None:
    """Nothing is left of what has lapsed, or has not."""
    pass_time(page, 50.0)
    page.session.connection_lost()
    assert broker.subscription_count == 0
    assert set(broker.destinations) == {ADVISORIES}


def test_the_site_hears_of_it(broker: Broker, policy: Policy, page: Client) -> None:
    """It is told of the end and the new beginning as of any other, and of no other in between."""
    site = Client(broker, policy).connect(login="site")
    site.send("SUBSCRIBE", id="0", destination=ADVISORIES)
    site.read()
    pass_time(page, 50.0)
    assert page.session.subscribed_destinations() == [OWN]
    page.send("SUBSCRIBE", id="renew", destination="/topic/renew", until="90", **{"for": ROOM})
    told = [json.loads(body) for body in site.bodies()]
    events = [(each["event"], each.get("destination")) for each in told]
    assert events[:2] == [("unsubscribed", ROOM), ("subscribed", ROOM)]
