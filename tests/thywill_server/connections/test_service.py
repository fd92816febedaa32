"""Reports of a broker, followed in the thread of the test: who is told what."""

from types import SimpleNamespace

import pytest
from django.contrib.auth.models import User
from django.db import DatabaseError
from django.utils import timezone

from tests.support.page import Page, assert_refused, thywill
from thywill_server import apps, signals
from thywill_server.client import Client
from thywill_server.connections.base import Login, Report
from thywill_server.connections.service import ConnectionService
from thywill_server.database import clients, members
from thywill_server.database.client_models import BrokerLease, ConnectedClient
from thywill_server.database.members import Place
from thywill_server.errors import Refusal
from thywill_server.push.base import PushComponent

pytestmark = pytest.mark.django_db

BROKER = "18a0"
ROOM = "/topic/thywill.channel.chat.room"


class ReportingPush(PushComponent):
    """Has a broker that reports, as far as it is told to."""

    live_broker = None
    reports_connections = True

    def __init__(self):
        super().__init__({})
        self.ended, self.told, self.questions = [], [], 0

    def publish(self, destination, message, event=None):
        """Note an event."""
        self.told.append((message.event, destination))

    def ticket(self, client):
        """Give none."""
        return ""

    def destination_of(self, client_uuid):
        """Name a page's own destination."""
        return f"/topic/{client_uuid}"

    def renewal_destination(self, client_uuid):
        """Name where new tickets are shown."""
        return f"/renew/{client_uuid}"

    def ask_who_is_there(self):
        """Count the question."""
        self.questions += 1

    def disconnect(self, client_uuids, session=""):
        """Note whose connections end."""
        self.ended += client_uuids


class Inline:
    """Lanes, or a clock, that do all at once or nothing."""

    def __init__(self):
        self.wake_ups = []
        self.has_room = True

    def submit(self, key, job):
        """Do it, if there is room."""
        if self.has_room:
            job()
        return self.has_room

    def start(self):
        """Begin nothing."""

    def call_within(self, seconds):
        """Note it."""
        self.wake_ups.append(seconds)


class Site:
    """A service, what it calls, and reports with growing numbers."""

    def __init__(self):
        self.heard = []
        self.push = ReportingPush()
        application = SimpleNamespace(
            client_connected=lambda client: self.heard.append(("in", client.uuid, client.user)),
            client_disconnected=lambda client: self.heard.append(("out", client.uuid, client.user)),
        )
        settings = {"disconnect_grace_seconds": 0.0, "presence_grace_seconds": 0.0}
        interface = SimpleNamespace(settings=settings)
        self.service = ConnectionService(
            SimpleNamespace(client_interface=interface, push=self.push, application=application)
        )
        self.inline = Inline()
        self.service._lanes = self.service._clock = self.inline
        self.sequence = 0
        self.done = 0

    def report(self, kind, uuid=None, connection=1, destination="", **more):
        """Report something."""
        self.sequence += 1
        about = {"application": "chat", "user": more.pop("user", "")}
        login = None if uuid is None else Login(uuid, connection, "claim", about)
        self.service.report(
            Report(
                kind=kind,
                broker=BROKER,
                sequence=self.sequence,
                login=login,
                destination=destination,
                **more,
            ),
            self._note_done,
        )

    def arrive(self, uuid, connection=1, **more):
        """Connect and subscribe as a page does."""
        self.report("connected", uuid, connection, **more)
        self.report("subscribed", uuid, connection, f"/topic/{uuid}", **more)

    def look(self):
        """Let the clock strike; gives the names of what was called since the last time."""
        self.service._look_after()
        heard, self.heard = self.heard, []
        return [f"{what} {uuid}" for what, uuid, _ in heard]

    def _note_done(self):
        self.done += 1


@pytest.fixture
def site():
    """A site that follows its broker."""
    return Site()


def test_a_page_comes_with_its_first_subscription(site):
    """Before that nothing that is sent to it would arrive."""
    ada = User.objects.create_user("ada")
    site.report("connected", "a", user=str(ada.pk))
    assert site.look() == []
    site.report("subscribed", "a", 1, "/topic/a", user=str(ada.pk))
    assert site.heard == [("in", "a", ada)]
    assert site.look() == ["in a"]
    site.report("disconnected", "a")
    assert site.heard == []
    site.service._look_after()
    assert site.heard == [("out", "a", ada)]
    assert site.done == 3


def test_a_user_that_is_gone(site):
    """Whoever was deleted meanwhile is a visitor."""
    site.arrive("a", user="4711")
    assert not site.heard[0][2].is_authenticated


def test_a_renewal_changes_the_user(site):
    """A log-in in an open page is known from its next ticket on."""
    site.arrive("a")
    site.report("subscribed", "a", 1, "/renew/a", user="7")
    assert ConnectedClient.objects.get().user == "7"
    assert clients.end(timezone.now(), user="7") == ["a"]


def test_a_client_that_was_ended_is_ended_again(site):
    """It had a ticket still, and a broker that has forgotten."""
    clients.end(timezone.now(), uuid="a")
    site.arrive("a")
    assert site.push.ended == ["a"]
    assert site.look() == []


def test_a_list_of_logins_mends_what_was_missed(site):
    """Arrivals and departures that nobody was told of, and presence."""
    now = timezone.now()
    for uuid in ("b", "c"):
        members.expect(Place("chat", "room", ROOM, f"visitor:{uuid}"), uuid, now)
    site.arrive("a", 1)
    site.arrive("b", 2)
    site.report("subscribed", "b", 2, ROOM)
    assert site.look() == ["in a", "in b"]
    logins = (
        Login("c", 3, "claim", {"application": "chat"}, ("/topic/c", ROOM)),
        Login("d", 4, "claim", {"application": "chat"}, ()),  # not subscribed yet
        Login("b", 2, "claim", {"application": "chat"}, ("/topic/b",)),
    )
    site.report("logins", logins=logins, next_connection=5)
    site.arrive("e", 5)
    assert site.look() == ["in c", "in e", "out a"]
    assert site.push.told == [("join", ROOM), ("join", ROOM), ("leave", ROOM)]


def test_a_lease_for_the_broker(site):
    """It is there before anything is noted, and is prolonged while the broker is heard."""
    site.arrive("a")
    assert BrokerLease.objects.get().broker == BROKER
    BrokerLease.objects.update(lease_until=timezone.now())
    assert site.look() == ["in a", "out a"]
    site.push.live_broker = BROKER
    site.service._heard_at.clear()
    BrokerLease.objects.update(asked_at=timezone.now() - timezone.timedelta(days=1))
    site.look()
    assert site.push.questions == 1
    site.look()
    assert site.push.questions == 1


def test_failures_hinder_nobody(site, caplog):
    """A function and a receiver that raise are logged."""

    def fail(client=None, **_):
        raise ZeroDivisionError

    site.service._application.client_connected = fail
    signals.client_connected.connect(fail)
    try:
        site.arrive("a")
    finally:
        signals.client_connected.disconnect(fail)
    assert "on_connect of chat failed for a" in caplog.text
    assert "test_failures_hinder_nobody.<locals>.fail" in caplog.text
    assert site.done == 2


def test_too_many_at_once(site, caplog):
    """What has no room is dropped with a word, and the broker is answered."""
    site.inline.has_room = False
    site.arrive("a")
    assert "a report of subscribed is dropped" in caplog.text
    assert site.done == 2
    assert not ConnectedClient.objects.exists()


def test_what_was_missed_is_asked_for(site, monkeypatch):
    """A report that cannot be followed is answered, and the broker is asked when things work."""

    def fail(*_):
        raise DatabaseError("the disk is full")

    with monkeypatch.context() as broken:
        broken.setattr(clients, "connected", fail)
        with pytest.raises(DatabaseError):
            site.arrive("a")
    assert site.done == 2
    assert site.push.questions == 0
    site.look()
    site.look()
    assert site.push.questions == 1


def test_leases_of_pages(site):
    """A page that says so is there, and says good-bye; one that was ended is refused."""
    client = Client("a", "key", None, "chat", session_identity="identity")
    site.service.lease(client)
    site.service.lease(client)
    assert site.look() == ["in a"]
    site.service.release(client)
    assert site.look() == ["out a"]
    clients.end(timezone.now(), uuid="a")
    with pytest.raises(Refusal, match="ended this connection"):
        site.service.lease(client)


class TestAddresses:
    """What pages ask, over Django's test client."""

    @pytest.fixture(autouse=True)
    def _site(self, settings, monkeypatch):
        settings.THYWILL = thywill()
        monkeypatch.setattr("thywill_server.connections.clock.Clock.start", lambda self: None)
        monkeypatch.setattr("thywill_server.connections.lanes.Lanes.submit", lambda *_: True)

    def test_lease(self, client):
        """The page is told where, and its row comes and goes."""
        page = Page(client)
        assert page.parameters["lease"] == {"path": "/thywill/lease/", "seconds": 15.0}
        assert page.post("lease", page.identified()).status_code == 200
        row = ConnectedClient.objects.get(uuid=page.uuid, is_connected=True)
        assert (row.application, row.ends_at) == ("testbed", None)
        assert page.post("lease", page.identified(leaving=True)).status_code == 200
        row.refresh_from_db()
        assert row.ends_at is not None

    def test_a_stranger(self, client):
        """Nobody holds a lease for another page."""
        page = Page(client)
        fields = page.identified(token="testbed:forged")
        assert_refused(page.post("lease", fields), 403, "unknown-client")

    @pytest.mark.parametrize("name", ["send", "ticket", "lease", "push", "channel"])
    def test_an_ended_page(self, client, name):
        """Whatever it asks is refused with the code that says so."""
        page = Page(client)
        clients.end(timezone.now(), uuid=page.uuid)
        body = page.identified(message="x", channel="x")
        assert_refused(page.post(name, body), 403, "disconnected")

    def test_where_a_broker_reports(self, client, settings, monkeypatch):
        """There is no such address, and pages are not told of it."""
        push = type(apps.components().push)
        monkeypatch.setattr(push, "reports_connections", True)
        page = Page(client)
        assert "lease" not in page.parameters
        assert_refused(page.post("lease", page.identified()), 404, "not-found")
