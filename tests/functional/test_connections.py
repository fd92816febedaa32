"""Who comes and goes at a real site: handlers, endings and presence, by its broker's reports."""

import re
import socket
import time
from contextlib import ExitStack

import pytest

from tests.support.comet_page import SECONDS, StompConnection
from tests.support.site_process import HttpPage, SiteProcess, write_settings
from thywill_server.push.orbited_stomp.tickets import issue_ticket

pytestmark = pytest.mark.functional

GUESTS = {"DJANGO_SETTINGS_MODULE": "tests.support.guests_settings", "PYTHONPATH": "."}
GRACE_SECONDS = 5
TICKET_SECONDS = 8
SOON = 1.0
"""Seconds within which a live connection has to end: what users are promised."""


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """One running site."""
    with SiteProcess(tmp_path_factory.mktemp("home"), "--no-reload", **GUESTS) as running:
        yield running


@pytest.fixture(scope="module")
def patient_site(tmp_path_factory):
    """A site that takes a page without a connection to be there for longer than any machine stalls.

    The half second of the others is about what a busy machine takes for one connection.
    """
    home = tmp_path_factory.mktemp("home")
    source = f"""
from tests.support.guests_settings import *
THYWILL["client_interface"]["disconnect_grace_seconds"] = {GRACE_SECONDS}
"""
    with SiteProcess(home, "--no-reload", **write_settings(home, source)) as running:
        yield running


@pytest.fixture
def listen(site):
    """Open pages, and their connections, as the page's script does."""
    connections = []

    def open_page(transport="websocket", beside=None, user=None, site=site):
        if user is not None:
            beside = HttpPage(site.url)
            assert beside.get(f"/in/{user}/").status == 200
        page = HttpPage(site.url, beside=beside)
        page.connection = page.listen(transport)
        connections.append(page.connection)
        site.wait_for_log(f"came {page.uuid}")
        assert page.connection.receive().body == f'"{page.uuid}"'.encode()
        return page

    yield open_page
    for connection in connections:
        connection.close()


def went(site, page):
    """Wait for the line of a departure; gives whose it was."""
    pattern = rf"went {page.uuid} as ([^\[\n]*[^\[\n ])"  # ids follow in brackets
    site.wait_for_log(pattern)
    return re.search(pattern, site.log)[1]


def assert_ended(page, since):
    """The connection gets its ERROR in time, and the page's requests are refused."""
    frame = page.connection.receive()
    assert time.monotonic() - since < SOON
    assert (frame.command, frame.headers.get("code")) == ("ERROR", "disconnected")
    assert page.post("ticket").json["code"] in ("disconnected", "unknown-client")
    assert page.post("send", message="x", command="present").status == 403


def assert_lives(page):
    """Messages go both ways still."""
    assert page.post("send", message="no room", command="present").status == 200


@pytest.mark.parametrize("transport", ["websocket", "longpoll"])
def test_a_page_comes_and_goes(site, listen, transport):
    """Its arrival and departure are one line each, with its user, and so are the signals."""
    page = listen(transport, user="ada")
    page.connection.send("DISCONNECT", {"receipt": "bye"})
    assert went(site, page) == "ada"
    site.wait_for_log(f"signal out {page.uuid}")
    for line in (f"came {page.uuid} as ada", f"went {page.uuid}", f"signal in {page.uuid}"):
        assert site.log.count(line) == 1
    assert "the guests fail on purpose" in site.log


def test_a_short_cut_is_not_told(patient_site, listen):
    """A page that connects again at once has neither gone nor come."""
    site = patient_site
    page = listen(site=site)

    def connect():
        plain = socket.create_connection(("127.0.0.1", site.stomp_port), timeout=SECONDS)
        connection = StompConnection(plain, page.uuid, page.push["ticket"])
        assert connection.subscribe(page.push["destination"]).command == "RECEIPT"
        return connection

    page.connection.send("DISCONNECT", {"receipt": "bye"})
    for _ in range(3):
        connect().close()
    page.connection = connect()
    other = listen(site=site)
    other.connection.send("DISCONNECT", {"receipt": "bye"})
    went(site, other)
    assert site.log.count(f"came {page.uuid}") == 1
    assert f"went {page.uuid}" not in site.log
    page.connection.close()
    assert went(site, page) == "a visitor"


@pytest.mark.parametrize("transport", ["websocket", "longpoll"])
@pytest.mark.parametrize("way", ["out", "flush"])
def test_the_end_of_a_session(site, listen, way, transport):
    """A log-out, or a session that is thrown away, ends every page of it, and no other."""
    first = listen(transport, user="ada")
    second = listen(transport, beside=first)
    other = listen(user="ada")
    since = time.monotonic()
    assert first.get(f"/{way}/").status == 200
    assert_ended(first, since)
    assert_ended(second, since)
    assert {went(site, first), went(site, second)} == {"ada"}
    assert_lives(other)


def test_a_log_in_ends_nothing(site, listen):
    """The session gets another key, and its pages go on; the old row in the database goes."""
    page = listen()
    assert page.get("/in/bob/").status == 200
    page.parameters["csrf_token"] = page.get("/thywill/csrf/").json["csrf_token"]
    assert_lives(page)
    assert page.get("/in/bob/").status == 200
    assert f"went {page.uuid}" not in site.log


@pytest.mark.parametrize("transport", ["websocket", "longpoll"])
def test_the_site_ends_a_client(site, listen, transport):
    """disconnect(uuid) ends one page, whoever asks; its ticket is good for nothing any more."""
    page, other = listen(transport), listen()
    other.post("send", message=page.uuid, command="end in vain")
    assert_lives(page)
    since = time.monotonic()
    assert other.post("send", message=page.uuid, command="end").status == 200
    assert_ended(page, since)
    went(site, page)
    refused = page.connect(transport)
    assert refused.answer.headers["code"] == "disconnected"
    refused.close()
    assert_lives(other)


def test_the_end_of_a_ticket(site):
    """A connection whose ticket is not renewed ends with it, whatever carries it."""
    key = (site.home / "ticket.key").read_bytes().strip()
    ends = {}
    with ExitStack() as stack:
        for transport in ("websocket", "longpoll"):
            page = HttpPage(site.url)
            begun = int(time.time())
            own = page.push["destination"]
            ticket = issue_ticket(
                key,
                subject=page.uuid,
                subscribe=[own],
                seconds=TICKET_SECONDS,
                now=begun,
                about={"application": "guests"},
            )
            connection = stack.enter_context(page.connect(transport, ticket))
            assert connection.subscribe(own).command == "RECEIPT"
            ends[connection] = (page, begun + TICKET_SECONDS)
        for connection, (page, end) in ends.items():
            site.wait_for_log(f"came {page.uuid}")
            while connection.receive().command == "MESSAGE":
                pass  # the application's welcome
            assert 0 <= time.time() - end < SOON
        for page, _ in ends.values():
            went(site, page)


def test_a_client_is_ended_by_its_own_message(listen):
    """client.disconnect() in a handler; the reply still arrives."""
    page = listen()
    since = time.monotonic()
    assert page.post("send", message=None, command="end me").json["reply"] == "farewell"
    assert_ended(page, since)


def test_the_site_ends_a_user(listen):
    """disconnect(user=...) ends every page of a user, in every browser."""
    first, second, other = listen(user="cleo"), listen(user="cleo"), listen(user="dan")
    since = time.monotonic()
    other.post("send", message="cleo", command="end user")
    assert_ended(first, since)
    assert_ended(second, since)
    assert_lives(other)


def join(page, room):
    """Join a room, as the page's channel does."""
    answer = page.post("channel", channel=f"room:{room}").json
    headers = {"destination": answer["destination"], "ticket": answer["ticket"]}
    page.connection.send("SUBSCRIBE", {**headers, "id": room, "receipt": room})
    while True:
        frame = page.connection.receive()
        if frame.command == "RECEIPT":
            return
        page.heard.append((frame.headers["event"], frame.body))


def test_presence(site, listen):
    """Two tabs of a user arrive once and leave once; the others hear it, with the name."""
    witness = listen()
    witness.heard = []
    join(witness, "lobby")
    assert witness.connection.receive().headers["event"] == "join"  # its own
    first = listen(user="eve")
    first.heard = []
    join(first, "lobby")
    frame = witness.connection.receive()
    assert (frame.headers["event"], frame.headers["channel"]) == ("join", "room:lobby")
    assert frame.body.endswith(b'"name":"eve"}') or b'"eve"' in frame.body
    second = listen(beside=first)
    second.heard = []
    join(second, "lobby")
    site.wait_for_log(f"came {second.uuid}")
    told = witness.post("send", message="lobby", command="present").json["reply"]
    assert told["users"] == ["eve"]
    assert told["names"] == [None, "eve"]
    first.connection.send("DISCONNECT", {"receipt": "bye"})
    went(site, first)
    second.connection.send("UNSUBSCRIBE", {"id": "lobby"})
    frame = witness.connection.receive()  # nothing was told between
    assert frame.headers["event"] == "leave"
    assert b'"eve"' in frame.body
    told = witness.post("send", message="lobby", command="present").json["reply"]
    assert told["uuids"] == [witness.uuid]
