"""Who is in a channel: one arrival and one departure each, however many tabs and reloads."""

from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest

from thywill_server.database import members
from thywill_server.database.client_models import Member, Presence
from thywill_server.database.members import Place

pytestmark = pytest.mark.django_db

START = datetime(2026, 1, 1, tzinfo=UTC)
ROOM = "/topic/thywill.channel.chat.room"
BROKER = "18a0"
GRACE = 2


def at(seconds):
    """A time of the test."""
    return START + timedelta(seconds=seconds)


def place(identity="user:7", destination=ROOM):
    """Somebody in a channel."""
    return Place("chat", "room", destination, identity)


def enter(uuid, sequence, seconds=0, identity="user:7", broker=BROKER):
    """A page is let join and subscribes; whether an arrival is to be told."""
    members.expect(place(identity), uuid, at(seconds))
    return members.enter(uuid, ROOM, broker, sequence, at(seconds)) == place(identity)


def leave(uuid, sequence, seconds=0, broker=BROKER):
    """A page unsubscribes."""
    return members.leave(uuid, ROOM, broker, sequence, at(seconds))


def settled(seconds):
    """Whose departure is to be told."""
    return [each.identity for each in members.settle(at(seconds), GRACE)]


def present():
    """The pages in the channel."""
    return [uuid for uuid, _, _ in members.members(ROOM)]


def test_two_tabs_are_one_somebody():
    """The first tab arrives, the last one leaves."""
    assert enter("a", 1)
    assert not enter("b", 2, 1)
    assert members.members(ROOM) == [("a", "user:7", at(0)), ("b", "user:7", at(1))]
    leave("a", 3, 10)
    assert settled(20) == []
    assert present() == ["b"]
    leave("b", 4, 30)
    assert settled(31) == []
    assert settled(32) == ["user:7"]
    assert settled(40) == []
    assert present() == []


def test_a_reload_is_not_told():
    """Another page of the same somebody within the grace: nobody has left or come."""
    enter("a", 1)
    leave("a", 2, 10)
    assert members.next_settling(GRACE) == at(12)
    assert present() == ["a"]
    assert not enter("b", 3, 11)
    assert settled(15) == []
    assert present() == ["b"]


def test_who_comes_back_later_arrives_again():
    """After a departure was told there is another arrival."""
    enter("a", 1)
    leave("a", 2, 10)
    assert settled(12) == ["user:7"]
    assert enter("a", 3, 20)


def test_channels_without_presence_are_passed_over():
    """A subscription of a page that was not expected is nobody's arrival."""
    assert members.enter("a", ROOM, BROKER, 1, at(0)) is None
    assert not Member.objects.exists()
    members.expect(place(), "a", at(0))
    assert present() == []


@pytest.mark.parametrize("last", ["enter", "leave"])
def test_order_does_not_matter(last):
    """In whatever order reports are read, the last one counts in the end."""
    steps = [lambda: enter("a", 1), lambda: leave("a", 2), lambda: enter("a", 3)]
    for order in permutations(steps if last == "enter" else steps[:2]):
        Member.objects.all().delete()
        Presence.objects.all().delete()
        members.expect(place(), "a", at(0))
        for step in order:
            step()
        list(members.settle(at(30), GRACE))
        assert present() == (["a"] if last == "enter" else []), order


def test_a_lost_connection_leaves_everything():
    """What was reported before the end of a connection is over; what came after it counts."""
    enter("a", 1)
    enter("b", 5)
    assert members.leave_all("a", at(10), BROKER, 4) == 1
    assert members.leave_all("b", at(10), BROKER, 4) == 0
    assert settled(20) == []  # the same user is still there with b
    assert present() == ["b"]
    assert members.leave_all("b", at(20)) == 1


def test_a_page_speaks_for_itself():
    """Without a broker that reports, entering and leaving need no numbers."""
    assert enter("a", 0, broker="")
    assert leave("a", 0, 5, broker="")
    assert not enter("a", 0, 6, broker="")
    assert present() == ["a"]


def test_a_log_in_makes_somebody_else():
    """The visitor leaves and the user arrives, with the page as it is."""
    enter("a", 1, identity="visitor:1")
    told = members.expect(place("user:7"), "a", at(5))
    assert [(event, each.identity) for event, each in told] == [
        ("leave", "visitor:1"),
        ("join", "user:7"),
    ]
    assert members.expect(place("user:7"), "a", at(6)) == []
    assert members.members(ROOM) == [("a", "user:7", at(0))]


def test_reconciling():
    """A list of all subscriptions mends what was missed on the way."""
    enter("a", 1)
    members.expect(place("user:8"), "b", at(0))
    enter("c", 9, identity="user:9")
    arrived = members.reconcile([("b", ROOM), ("x", "/topic/x")], ["a", "b", "c"], BROKER, 5, at(9))
    assert [each.identity for each in arrived] == ["user:8"]
    assert settled(11) == ["user:7"]
    assert present() == ["c", "b"]


def test_forgetting():
    """Pages that were let join, and are not in, are deleted after a while."""
    enter("a", 1)
    members.expect(place(), "b", at(0))
    assert members.forget(at(50), 100) == 0
    assert members.forget(at(101), 100) == 1
    assert present() == ["a"]
