"""Channels in virtual browsers: joining, order, what is missed."""

import pytest
from django.contrib.auth.models import User

from tests.support.applications.rooms import thywill_interface as rooms
from thywill_server import testing
from thywill_server.application import publish

pytestmark = pytest.mark.usefixtures("site")


def offsets(channel: testing.VirtualChannel) -> list[int | None]:
    """The places of what an application has published."""
    return [each.offset for each in channel.received if each.event in ("said", "added")]


def test_everybody_in_a_channel_hears_it() -> None:
    """What one page says, both hear, once, and with its place."""
    with testing.open("rooms") as one, testing.open("rooms") as other:
        channels = [page.channel("room:lobby") for page in (one, other)]
        one.call("say", room="lobby", text="hi")
        for channel in channels:
            found = channel.expect("said", {"text": "hi", "number": 0})
            assert (found.offset, found.replayed) == (1, False)
            channel.expect_nothing("said")


def test_a_channel_that_may_not_be_joined() -> None:
    """Joining raises what the page would be refused with, in the application's own words too."""
    with testing.open("rooms") as page:
        with pytest.raises(testing.Refused, match="not-allowed"):
            page.channel("room:secret plans")
        with pytest.raises(testing.Refused, match="unknown-channel"):
            page.channel("nothing")
        with pytest.raises(testing.Refused, match=r"closed: It is closed on Sundays\."):
            page.channel("live:closed")


def test_history_comes_before_what_is_new() -> None:
    """A page that joins later gets what was said before, marked as replayed."""
    with testing.open("rooms") as page:
        page.call("say", room="old", text="before", times=3)
        channel = page.channel("room:old")
        page.call("say", room="old", text="after")
        channel.expect("said", {"text": "after", "number": 0})
        assert [(each.offset, each.replayed) for each in channel.received] == [
            (1, True),
            (2, True),
            (3, True),
            (4, False),
        ]


def test_only_the_newest() -> None:
    """With `replay` a page begins with so many."""
    with testing.open("rooms") as page:
        page.call("say", room="long", text="x", times=10)
        assert offsets(page.channel("room:long", replay=2)) == [9, 10]


def test_what_was_missed_is_fetched() -> None:
    """After a long time offline, everything comes, each once, in order; then `recovered`."""
    with testing.open("rooms") as page, testing.open("rooms") as other:
        channel = page.channel("room:x")
        other.call("say", room="x", text="1")
        channel.expect("said")
        with page.offline(for_long=True):
            other.call("say", room="x", text="2", times=150)
        channel.expect("recovered", True)
        other.call("say", room="x", text="3")
        channel.expect("said", {"text": "3", "number": 0})
        assert offsets(channel) == list(range(1, 153))


def test_what_is_not_there_any_more() -> None:
    """Where the history was trimmed meanwhile, `recovered` is False and a snapshot comes."""
    with testing.open("rooms") as page, testing.open("rooms") as other:
        channel = page.channel("short:x")
        with page.offline(for_long=True):
            for _ in range(20):
                other.call("add", room="x", text="", times=1)
        channel.expect("recovered", False)
        found = channel.expect("snapshot", {"total": 20})
        assert found.offset == 20
        other.call("add", room="x", text="", times=1)
        assert channel.expect("added").offset == 21
        assert offsets(channel) == [21]


def test_without_history_nothing_is_recovered() -> None:
    """A channel without history says that something may be missing."""
    with testing.open("rooms") as page:
        channel = page.channel("live:x")
        page.call("live", room="x", text="here")
        assert channel.expect("said", "here").offset is None
        with page.offline(for_long=True):
            publish("live:x", "said", "lost", application="rooms")
        channel.expect("recovered", False)
        channel.expect_nothing("said")


def test_the_first_page_carries_channels() -> None:
    """What the application joined for the page is there; nothing falls between."""
    with testing.open("rooms") as page:
        page.call("begin_in", ["room:first"])
        page.call("say", room="first", text="1")
        with testing.open("rooms") as other:
            page.call("say", room="first", text="2")
            channel = other.channel("room:first")
            assert offsets(channel) == [1, 2]
    rooms.app.state[rooms.BEGINS_IN] = []


def test_leaving() -> None:
    """A page that has left hears nothing, and may come back."""
    with testing.open("rooms") as page:
        channel = page.channel("room:x")
        channel.leave()
        page.call("say", room="x", text="1")
        page.settle()
        assert (channel.state, channel.received) == ("left", [])
        assert offsets(page.channel("room:x")) == [1]


def test_presence() -> None:
    """Who comes and goes is told to the others, and can be asked for."""
    anna, berta = (User.objects.create_user(name) for name in ("anna", "berta"))
    with testing.open("guests", user=anna) as one:
        channel = one.channel("room:x")
        assert [card["name"] for card in channel.presence()] == ["anna"]
        with testing.open("guests", user=berta) as other:
            other.channel("room:x")
            assert channel.expect("join", {"identity": testing.ANYTHING, "name": "berta"})
            assert one.call("present", "x")["users"] == ["anna", "berta"]
        channel.expect("leave", {"identity": testing.ANYTHING, "name": "berta"})
        assert [card["name"] for card in channel.presence()] == ["anna"]
