"""Who is connected: reports in any order, read by any process, tell each arrival once."""

from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest

from thywill_server.connections.base import Login
from thywill_server.database import clients
from thywill_server.database.client_models import BrokerLease, ConnectedClient
from thywill_server.database.clients import Departed, Unwanted

pytestmark = pytest.mark.django_db

START = datetime(2026, 1, 1, tzinfo=UTC)
BROKER, NEXT_BROKER = "18a0", "18a1"
ABOUT = {"application": "chat", "user": "7"}
ADA = Departed("ada", "chat", "7")


def at(seconds):
    """A time of the test."""
    return START + timedelta(seconds=seconds)


@pytest.fixture(autouse=True)
def _broker():
    clients.prolong_broker(BROKER, at(60), at(-300), at(0))


def login(connection=1, uuid="ada"):
    """A connection of a client."""
    return Login(uuid, connection, "session of " + uuid, ABOUT)


def connect(connection=1, seconds=0, uuid="ada", broker=BROKER):
    """Report the beginning of a connection."""
    return clients.connected(login(connection, uuid), broker, at(seconds))


def disconnect(connection=1, seconds=0, uuid="ada", broker=BROKER, grace=1):
    """Report its end."""
    ends_at = at(seconds + grace)
    return clients.disconnected(login(connection, uuid), broker, at(seconds), ends_at)


def departed(seconds):
    """Who has left by then."""
    return list(clients.depart(at(seconds)))


def test_a_client_comes_and_goes():
    """Its arrival is told once, and so is its departure, after the grace."""
    assert connect()
    assert not connect()
    assert disconnect(seconds=5)
    assert not disconnect(seconds=5.5)
    assert departed(5.9) == []
    assert departed(6) == [ADA]
    assert departed(7) == []
    row = ConnectedClient.objects.get()
    assert (row.application, row.user, row.session) == ("chat", "7", "session of ada")


def test_a_short_cut_is_not_told():
    """Who is back within the grace has neither left nor come."""
    connect()
    disconnect(seconds=5)
    assert clients.next_departure() == at(6)
    assert not connect(2, seconds=5.5)
    assert clients.next_departure() is None
    assert departed(30) == []


def test_who_comes_back_later_has_come_again():
    """After the grace it is a departure and an arrival."""
    connect()
    disconnect(seconds=5)
    assert departed(6) == [ADA]
    assert connect(2, seconds=7)


def test_the_end_of_an_older_connection_is_no_departure():
    """A page that has connected anew before the broker noticed stays connected."""
    connect(1)
    connect(2)
    assert not disconnect(1)
    assert departed(30) == []


REPORTS = {
    "connect 1": lambda: connect(1),
    "disconnect 1": lambda: disconnect(1),
    "connect 2": lambda: connect(2),
    "disconnect 2": lambda: disconnect(2),
}


@pytest.mark.parametrize("names", [list(REPORTS)[:2], list(REPORTS)[:3], list(REPORTS)])
def test_order_does_not_matter(names):
    """In whatever order reports are read, what is known in the end is the same."""
    for order in permutations(names):
        ConnectedClient.objects.all().delete()
        for name in order:
            REPORTS[name]()
        list(clients.depart(at(30)))
        is_connected = ConnectedClient.objects.get().is_connected
        assert is_connected is (names[-1] == "connect 2"), order


def test_a_broker_that_starts_anew_counts_anew():
    """Connections of a later broker count more, whatever their numbers."""
    connect(900)
    assert not connect(1, broker=NEXT_BROKER)
    assert not disconnect(900)
    assert disconnect(1, broker=NEXT_BROKER)


def test_clients_of_a_broker_that_is_gone_have_left():
    """When nobody hears a broker for its lease, nobody is connected there any more."""
    connect()
    connect(uuid="bob", broker=NEXT_BROKER)
    clients.prolong_broker(NEXT_BROKER, at(120), at(-300), at(0))
    assert departed(59) == []
    assert departed(60) == [ADA]
    assert [each.uuid for each in departed(120)] == ["bob"]


def test_a_broker_is_asked_at_intervals():
    """Of all processes that hear it, one asks who is there when it is time."""
    assert not clients.prolong_broker(BROKER, at(70), at(-290), at(10))
    assert clients.prolong_broker(BROKER, at(400), at(40), at(340))
    assert not clients.prolong_broker(BROKER, at(400), at(40), at(340))


def test_who_a_broker_does_not_have_any_more():
    """Connections that a report does not list are over, but for those that came after it."""
    for number, uuid in enumerate("abcde", 1):
        connect(number, uuid=uuid)
    connect(9, uuid="cc", broker=NEXT_BROKER)

    def missing(after, until, present):
        found = clients.missing(after, until, present, BROKER, 5)
        return sorted((each.client_uuid, each.connection) for each in found)

    assert missing(None, None, ["b"]) == [("a", 1), ("c", 3), ("d", 4)]
    assert missing("a", "c", ["b"]) == [("c", 3)]
    assert clients.known_positions(["a", "x"], BROKER) == {("a", 1)}


def test_a_page_with_a_lease():
    """Where pages speak for themselves they are there until their lease ends."""
    assert clients.leased(login(0), at(30), at(0))
    assert not clients.leased(login(0), at(50), at(20))
    assert departed(49) == []
    assert departed(50) == [ADA]
    assert clients.leased(login(0), at(90), at(60))
    assert clients.released("ada", at(61))
    assert departed(61) == [ADA]
    assert not clients.released("ada", at(62))


@pytest.mark.parametrize("whom", [{"uuid": "ada"}, {"session": "session of ada"}, {"user": "7"}])
def test_the_site_ends_clients(whom):
    """One, those of a session, or those of a user: they leave at once, and are not let in again."""
    connect()
    connect(2, uuid="bob")
    expected = ["ada", "bob"] if "user" in whom else ["ada"]
    assert sorted(clients.end(at(5), **whom)) == expected
    assert [each.uuid for each in departed(5)] == expected
    assert clients.is_ended("ada")
    assert clients.is_ended("bob") is ("user" in whom)
    with pytest.raises(Unwanted):
        connect(3)
    with pytest.raises(Unwanted):
        clients.leased(login(0), at(9), at(6))
    assert clients.end(at(6), **whom) == []


def test_a_client_is_ended_before_it_connects():
    """A page that is only just loading is not let in either."""
    assert clients.end(at(0), uuid="ada") == ["ada"]
    with pytest.raises(Unwanted):
        connect()
    assert departed(60) == []


def test_visitors_are_no_user():
    """To end the user without a key ends nobody."""
    clients.connected(Login("eve", 1), BROKER, at(0))
    assert clients.end(at(1), user="") == []


def test_forgetting():
    """What is known of the gone is deleted after a while; of those the site ended, later."""
    connect(1, uuid="there")
    for uuid in ("gone", "ended"):
        connect(2, uuid=uuid)
        disconnect(2, uuid=uuid)
    clients.end(at(1), uuid="ended")
    list(clients.depart(at(2)))
    assert clients.forget(at(50), 100, 1000) == 0
    assert clients.forget(at(200), 100, 1000) == 1
    assert clients.forget(at(2000), 100, 1000) == 1
    assert [row.uuid for row in ConnectedClient.objects.all()] == ["there"]
    assert not BrokerLease.objects.exists()
