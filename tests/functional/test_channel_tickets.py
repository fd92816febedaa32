"""How long a channel can be listened to: on a real site, through Orbited and its broker."""

import json
import time
from contextlib import ExitStack

import pytest

from tests.support.site_process import SiteProcess, write_settings
from tests.support.visitor import Visitor
from thywill_server.push.orbited_stomp.tickets import (
    issue_ticket,
    read_ticket,
    renewal_destination,
)
from thywill_server.testing import channel, lines

pytestmark = pytest.mark.functional

ROOMS = "/thywill/init/rooms/"
TRANSPORTS = ["websocket", "longpoll"]
TICKET_SECONDS = 8
"""Until the end that a test waits for, it has time for what goes before, on a busy machine too."""

SOURCE = f"""
from tests.support.site_settings import INSTALLED_APPS, THYWILL
THYWILL["push"]["ticket_seconds"] = {TICKET_SECONDS}
"""
FORGER = b"not the site's key, though long enough"
ROOM = "/topic/thywill.channel.rooms.room_3Aa"
LONG_AGO = 1_000_000_000.0


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A site whose tickets are short."""
    home = tmp_path_factory.mktemp("home")
    with SiteProcess(home, "--no-reload", **write_settings(home, SOURCE)) as running:
        yield running


def patient_page(site):
    """A page of the rooms whose own ticket is long."""
    page = site.open_page(ROOMS)
    page.push["ticket"] = ticket_of(site, page, page.push["destination"], seconds=60)
    return page


@pytest.fixture
def page(site):
    """One of them."""
    return patient_page(site)


def key_of(site):
    """What the site signs with."""
    return (site.home / "ticket.key").read_bytes().strip()


def ticket_of(site, page, destination, key=None, **given):
    """Sign a ticket as the site does, or nearly."""
    claim = read_ticket(key_of(site), page.post("ticket").json["ticket"]).session
    return issue_ticket(
        key or key_of(site), subject=page.uuid, session=claim, subscribe=[destination], **given
    )


def say(page, text, room="a"):
    """Publish in a room."""
    message = {"room": room, "text": text}
    assert page.post("send", message=message, command="say").status == 200


def texts(connection, last):
    """Read messages up to one with a text; gives all texts."""
    found = []
    while last not in found:
        frame = connection.receive()
        assert frame.command == "MESSAGE", frame
        found.append(json.loads(frame.body)["text"])
    return found


def test_a_subscription_ends_with_its_ticket(site):
    """Within a second it gets nothing more; all else on the connection goes on."""
    other = "/topic/thywill.channel.rooms.room_3Ab"
    with ExitStack() as stack:
        connections = []
        for transport in TRANSPORTS:
            page = patient_page(site)
            connection = stack.enter_context(page.listen(transport))
            long = ticket_of(site, page, other, seconds=60)
            assert connection.subscribe(other, ticket=long).command == "RECEIPT"
            short = ticket_of(site, page, ROOM, seconds=TICKET_SECONDS)
            end = read_ticket(key_of(site), short).expires_at
            assert connection.subscribe(ROOM, ticket=short).command == "RECEIPT"
            connections.append(connection)
            text = f"in time for {transport}"
            say(page, text)
            assert texts(connection, text)[-1] == text
        wait_until(end + 1)
        say(page, "late")
        say(page, "elsewhere", room="b")
        for connection in connections:
            assert "late" not in texts(connection, "elsewhere")


def test_a_renewal_keeps_the_subscription(site, page):
    """The channel's next ticket, shown before the end, moves it; nothing is lost or doubled."""
    with page.listen("websocket") as connection:
        short = ticket_of(site, page, ROOM, seconds=TICKET_SECONDS)
        end = read_ticket(key_of(site), short).expires_at
        assert connection.subscribe(ROOM, ticket=short).command == "RECEIPT"
        answer = connection.subscribe(
            renewal_destination(page.uuid), ticket=ticket_of(site, page, ROOM, seconds=60)
        )
        assert answer.command == "RECEIPT"
        number = 0
        while time.time() < end + 1:
            number += 1
            say(page, str(number))
            assert texts(connection, str(number)) == [str(number)]


def test_a_channels_ticket_does_not_prolong_the_connection(site, page):
    """A page that renews its channels only is ended with its own ticket."""
    page.push["ticket"] = ticket_of(site, page, page.push["destination"], seconds=TICKET_SECONDS)
    with page.listen("websocket") as connection:
        ticket = ticket_of(site, page, ROOM, seconds=60)
        where = renewal_destination(page.uuid)
        assert connection.subscribe(where, ticket=ticket).command == "RECEIPT"
        frame = connection.receive()
        assert (frame.command, frame.headers["code"]) == ("ERROR", "session-expired")


@pytest.mark.parametrize("shown", ["none", "expired", "another channel's", "forged", "another's"])
def test_a_channel_needs_its_own_ticket(site, page, shown):
    """SUBSCRIBE with anything else gets an ERROR with its code."""
    room = f"{ROOM}-{page.uuid}"  # that nobody is in
    ticket = {
        "none": "",
        "expired": ticket_of(site, page, room, seconds=60, now=LONG_AGO),
        "another channel's": ticket_of(site, page, f"{room}b", seconds=60),
        "forged": ticket_of(site, page, room, key=FORGER, seconds=60),
        "another's": ticket_of(site, site.open_page(ROOMS), room, seconds=60),
    }[shown]
    with page.listen("websocket") as connection:
        frame = connection.subscribe(room, ticket=ticket)
        assert (frame.command, frame.headers["code"]) == ("ERROR", "create-refused")


def test_a_hostile_page_hears_nothing_once_it_may_not_join(site, page):
    """When may_join turns false it keeps what it has until the ticket ends, and no longer."""
    with page.listen("websocket") as connection:
        more = page.push["destinations"]
        own = ticket_of(site, page, more[0], seconds=60)
        assert connection.subscribe(more[0], ticket=own).command == "RECEIPT"
        answer = page.post("channel", channel="guarded:a").json
        where, ticket = answer["destination"], answer["ticket"]
        end = time.time() + answer["expires_in"]
        assert connection.subscribe(where, ticket=ticket).command == "RECEIPT"
        page.post("send", command="announce", message={"room": "a", "text": "public"})
        assert texts(connection, "public") == ["public"]
        page.post("send", command="shut", message={"room": "a", "text": ""})
        refused = page.post("channel", channel="guarded:a")
        assert (refused.status, refused.json["code"]) == (403, "not-allowed")
        wait_until(end + 1)
        page.post("send", command="announce", message={"room": "a", "text": "secret"})
        page.post("send", command="all", message={"text": "for all"})
        assert texts(connection, "for all") == ["for all"]


def test_honest_pages_renew_in_time(site, monkeypatch):
    """A page stays in its channel through several tickets, without a hole or a repetition."""
    for module in (lines, channel):  # so that a busy machine has the rest
        monkeypatch.setattr(module, "RENEW_SHARE", 0.2)
    author = site.open_page(ROOMS)
    with ExitStack() as stack:
        visitors = [
            stack.enter_context(Visitor(site.url, ROOMS, "room:a", transport))
            for transport in TRANSPORTS
        ]
        for visitor in visitors:
            visitor.wait_for(lambda each=visitor: each.channel.state == "joined", "joining")
        before = [len(visitor.received) for visitor in visitors]
        end, number = time.time() + 2.5 * TICKET_SECONDS, 0
        while time.time() < end:
            number += 1
            say(author, number)
            for visitor, count in zip(visitors, before, strict=True):
                wanted = count + number
                visitor.wait_for(
                    lambda each=visitor, wanted=wanted: len(each.received) >= wanted, "hearing"
                )
        for visitor, count in zip(visitors, before, strict=True):
            heard = visitor.received[count:]
            assert [each.data["text"] for each in heard] == list(range(1, number + 1))
            assert {each.event for each in heard} == {"said"}
            assert visitor.connections == 1


def wait_until(moment):
    """Wait until the clock says so."""
    time.sleep(max(0, moment - time.time()))
