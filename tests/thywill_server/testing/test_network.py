"""Virtual browsers on bad networks, over Orbited."""

import pytest
from pytest_django import Settings

from tests.thywill_server.testing.conftest import in_memory, over_orbited
from thywill_server import testing
from thywill_server.application import publish, to_client
from thywill_server.testing import channel, lines

TRANSPORTS = ["websocket", "xhrstream", "longpoll"]


def push_to(page: testing.VirtualBrowser, text: str) -> None:
    """Send to a page from outside."""
    to_client(page.uuid, text)


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_a_short_time_offline_loses_nothing(orbited: Settings, transport: str) -> None:
    """Orbited keeps what is pushed meanwhile, for the page itself too."""
    with (
        testing.open("testbed", transport=transport) as page,
        testing.open("testbed") as other,
    ):
        page.send("before")
        page.expect(None, "before")
        with page.offline():
            assert page.state == "offline"
            with pytest.raises(testing.Refused, match="network"):
                page.call("who")
            for number in range(10):
                push_to(page, str(number))
            other.settle()
            assert len(page.received) == 1
        page.expect(None, "9")
        assert page.state == "live"
        assert [each.data for each in page.received] == ["before", *map(str, range(10))]


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_a_slow_page_gets_all_in_the_end(orbited: Settings, transport: str) -> None:
    """While it reads nothing, nothing comes; then all does, in order, although Orbited gave up."""
    with testing.open("rooms", transport=transport) as page, testing.open("rooms") as other:
        room, beside = page.channel("room:x"), other.channel("room:x")
        with page.slow():
            for number in range(60):
                publish("room:x", "said", {"n": number, "text": "." * 100_000}, application="rooms")
            for number in range(60):
                beside.expect("said", {"n": number, "text": testing.ANYTHING}, seconds=60)
            assert len(room.received) < 60
        room.expect("said", {"n": 59, "text": testing.ANYTHING}, seconds=60)
        offsets = [each.offset for each in room.received if each.event == "said"]
        assert offsets == list(range(1, 61))


def test_a_page_that_reads_slowly(orbited: Settings) -> None:
    """A rate is kept: so many bytes take so long."""
    with testing.open("testbed") as page, page.slow(200_000):
        push_to(page, "." * 100_000)
        with pytest.raises(testing.NothingCame):
            page.expect(None, seconds=0.2)
        page.expect(None)


def test_a_page_that_reads_very_slowly(orbited: Settings) -> None:
    """Less than a byte in a turn of the loop is still something."""
    with testing.open("testbed", transport="longpoll") as page:
        with page.slow(15):
            push_to(page, "here")
            with pytest.raises(testing.NothingCame):
                page.expect(None, seconds=0.3)
            assert page.state == "live"
        page.expect(None, "here")


def test_tickets_renew_by_themselves(
    settings: Settings, db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A page outlives its ticket, and so does its place in a channel.

    The broker would end either one second after the ticket.
    """
    for module in (lines, channel):  # so that a busy machine has the rest
        monkeypatch.setattr(module, "RENEW_SHARE", 0.2)
    settings.THYWILL = over_orbited(ticket_seconds=8)
    with testing.open("rooms") as page:
        room = page.channel("room:x")
        page.wait(lambda: page.state != "live", 9)
        assert page.state == "live"
        page.call("say", room="x", text="still here")
        room.expect("said", {"text": "still here", "number": 0})
        room.expect_nothing("recovered")


def test_push_in_memory_is_never_slow(settings: Settings, db: None) -> None:
    """What cannot be is said."""
    settings.THYWILL = in_memory()
    with (
        testing.open("testbed") as page,
        pytest.raises(testing.TestingError, match="no connection that could be slow"),
    ):
        page.slow()
