"""What a ticket opens, on the real thing: through Orbited, and on the broker's own port."""

import socket
import time
from contextlib import ExitStack
from functools import partial

import pytest

from tests.support.comet_page import SECONDS, BridgeSocket, StompConnection
from tests.support.site_process import SiteProcess
from thywill_server.push.orbited_stomp.tickets import issue_ticket, renewal_destination

pytestmark = pytest.mark.functional

WAYS = ["websocket", "longpoll", "stomp", "tcp"]
SHORT_SECONDS = 8
"""A ticket that a test waits for the end of; until then it has time for what goes before."""

FORGER = b"not the site's key, though long enough"


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """One running site."""
    with SiteProcess(tmp_path_factory.mktemp("home"), "--no-reload") as running:
        yield running


def open_door(site, way, page, ticket=None, login=None):
    """Connect to the broker on one of the ways."""
    passcode = ticket or page.push["ticket"]
    if way == "tcp":
        plain = socket.create_connection(("127.0.0.1", site.stomp_port), timeout=SECONDS)
        return StompConnection(plain, login or page.uuid, passcode)
    if way == "stomp":
        end_point = f"{site.url.replace('http', 'ws', 1)}/orbited/stomp"
        plain = BridgeSocket(end_point, site.url)
        return StompConnection(plain, login or page.uuid, passcode)
    page.push["login"] = login or page.uuid
    return page.connect(way, passcode)


@pytest.fixture(params=WAYS)
def door(request, site):
    """Each way to the broker: ``door(page, ticket, login=...)`` gives a connection."""
    return partial(open_door, site, request.param)


@pytest.fixture
def ticket_for(site):
    """Sign tickets with the site's own key, as the site does."""
    key = (site.home / "ticket.key").read_bytes().strip()

    def issue(page, **changed):
        given = {
            "subject": page.uuid,
            "session": "session",
            "subscribe": [page.push["destination"]],
            "seconds": 60,
            **changed,
        }
        return issue_ticket(given.pop("key", key), **given)

    return issue


def assert_ended(connection, frame):
    """Check for an ERROR without a word on what goes on inside, and the end of the connection."""
    assert frame.command == "ERROR"
    assert b"Traceback" not in frame.body
    with pytest.raises((EOFError, ConnectionResetError)):
        connection.receive()


def test_a_page_hears_its_own_destination(site, door):
    """With its own ticket a page is let in, and hears what is pushed to it."""
    page = site.open_page()
    with door(page) as connection:
        assert connection.answer.command == "CONNECTED"
        assert connection.subscribe(page.push["destination"]).command == "RECEIPT"
        page.post("send", message="hello", id="1")
        assert connection.receive().body == b"hello"


@pytest.mark.parametrize("destination", ["another's", "/topic/thywill.client.*", "/queue/x", "x"])
def test_a_ticket_opens_no_other_destination(site, door, destination):
    """Subscribing to another page's destination, a pattern or anything else gets an ERROR."""
    page, other = site.open_page(), site.open_page()
    wanted = other.push["destination"] if destination == "another's" else destination
    with door(page) as connection:
        assert_ended(connection, connection.subscribe(wanted))


@pytest.mark.parametrize("target", ["own", "another's"])
def test_a_page_cannot_send(site, door, target):
    """SEND gets an ERROR, and nothing arrives."""
    page, other = site.open_page(), site.open_page()
    with door(page) as connection, other.listen("websocket") as listening:
        destination = (page if target == "own" else other).push["destination"]
        connection.send("SEND", {"destination": destination, "receipt": "sent"}, b"forged")
        assert_ended(connection, connection.receive())
        other.post("send", message="real", id="1")
        assert listening.receive().body == b"real"


def test_an_expired_ticket_is_refused(site, door, ticket_for):
    """A ticket does not work once its time is over."""
    page = site.open_page()
    old = ticket_for(page, now=time.time() - 120)
    with door(page, old) as connection:
        assert_ended(connection, connection.answer)


def test_a_forged_ticket_is_refused(site, door, ticket_for):
    """A ticket signed with another key does not work."""
    page = site.open_page()
    with door(page, ticket_for(page, key=FORGER)) as connection:
        assert_ended(connection, connection.answer)


@pytest.mark.parametrize("passcode", ["guest", "a.b.c"])
def test_anything_else_is_refused(site, door, passcode):
    """A password, or three words with dots between, is no ticket."""
    page = site.open_page()
    with door(page, passcode) as connection:
        assert_ended(connection, connection.answer)


def test_another_pages_ticket_is_refused(site, door):
    """A good ticket with the wrong login does not work."""
    page, other = site.open_page(), site.open_page()
    with door(page, other.push["ticket"]) as connection:
        assert_ended(connection, connection.answer)


def test_a_page_cannot_be_the_site(site, door):
    """The login of the site needs a ticket of the site."""
    page = site.open_page()
    with door(page, login="site") as connection:
        assert_ended(connection, connection.answer)


@pytest.fixture
def short_connections(site, ticket_for):
    """Pages and their connections, one for each way, subscribed by tickets that end soon."""
    with ExitStack() as stack:
        pages = []
        for way in WAYS:
            page = site.open_page()
            short = ticket_for(page, seconds=SHORT_SECONDS)
            connection = stack.enter_context(open_door(site, way, page, short))
            assert connection.subscribe(page.push["destination"]).command == "RECEIPT"
            pages.append((page, connection))
        yield pages


def test_a_connection_ends_with_its_ticket(short_connections):
    """A page that does not renew its ticket gets an ERROR when the ticket ends, on every way."""
    for _, connection in short_connections:
        assert_ended(connection, connection.receive())


def test_a_renewed_ticket_prolongs_the_connection(short_connections, ticket_for):
    """A new ticket on the live connection moves its end, on every way; messages go on coming."""
    end = time.time() + SHORT_SECONDS
    for page, connection in short_connections:
        renewed = ticket_for(page, seconds=300)
        answer = connection.subscribe(renewal_destination(page.uuid), ticket=renewed)
        assert answer.command == "RECEIPT"
    number, is_over = 0, False
    while not is_over:
        is_over = time.time() > end + 1
        number += 1
        for page, connection in short_connections:
            page.post("send", message=str(number), id=str(number))
            assert connection.receive().body == str(number).encode()


@pytest.mark.parametrize("ticket", ["another session's", "another page's", "expired", "none"])
def test_a_renewal_needs_a_ticket_of_this_page(site, door, ticket_for, ticket):
    """A renewal with any other ticket gets an ERROR."""
    page, other = site.open_page(), site.open_page()
    shown = {
        "another session's": ticket_for(page, session="another"),
        "another page's": ticket_for(other),
        "expired": ticket_for(page, now=time.time() - 120),
        "none": "",
    }[ticket]
    with door(page, ticket_for(page)) as connection:
        answer = connection.subscribe(renewal_destination(page.uuid), ticket=shown)
        assert_ended(connection, answer)


def test_the_site_gives_a_new_ticket_to_its_own_page_only(site):
    """A ticket is renewed over HTTP by the page's own token; another's is refused."""
    page, other = site.open_page(), site.open_page()
    renewed = page.post("ticket")
    assert renewed.status == 200
    assert renewed.json["expires_in"] == page.push["expires_in"]
    with page.connect("websocket", renewed.json["ticket"]) as connection:
        assert connection.answer.command == "CONNECTED"
    assert page.post("ticket", uuid=other.uuid).status == 403
