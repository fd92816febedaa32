"""What a real site refuses, and with which code: by HTTP, and at its broker."""

import time

import pytest

from tests.support.site_process import SiteProcess, fetch
from thywill_server.push.orbited_stomp.tickets import issue_ticket, read_ticket

pytestmark = pytest.mark.functional

SETTINGS = {"DJANGO_SETTINGS_MODULE": "tests.support.site_settings"}
ROOMS = "/thywill/init/rooms/"
ROOM = "/topic/thywill.channel.rooms.room_3Asomebody"
FORGER = b"not the site's key, though long enough"


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """One running site."""
    with SiteProcess(tmp_path_factory.mktemp("home"), "--no-reload", **SETTINGS) as running:
        yield running


@pytest.fixture
def page(site):
    """A page of the rooms."""
    return site.open_page(ROOMS)


@pytest.fixture
def ticket_for(site, page):
    """Sign tickets for the page, as the site does but for what is wrong with them."""
    key = (site.home / "ticket.key").read_bytes().strip()
    session = read_ticket(key, page.push["ticket"]).session

    def issue(destination, key=key, **given):
        names = {"subject": page.uuid, "session": session, "subscribe": [destination]}
        return issue_ticket(key, **names, seconds=60, **given)

    return issue


def refusal(answer):
    """Status and code of a refused POST."""
    assert answer.json["status"] == "error"
    return answer.status, answer.json["code"]


def post(page, **headers):
    """POST a message of the page with these headers only."""
    token = page.parameters["client_token"]
    body = {"uuid": page.uuid, "token": token, "command": "all", "message": "hi"}
    return fetch(page._opener, f"{page.url}/thywill/send/", body, headers)


def test_a_channel_that_may_not_be_joined(page):
    """``may_join`` says no: there is no ticket."""
    answer = page.post("channel", channel="room:secret")
    assert refusal(answer) == (403, "not-allowed")
    assert "ticket" not in answer.json


def test_an_expired_ticket(page, ticket_for):
    """A page that logs in with it is not let in."""
    ticket = ticket_for(page.push["destination"], now=time.time() - 120)
    with page.connect("websocket", ticket) as connection:
        assert connection.answer.headers["code"] == "login-refused"


def test_a_forged_ticket(page, ticket_for):
    """The same for one that somebody else has signed."""
    with page.connect("websocket", ticket_for(page.push["destination"], FORGER)) as connection:
        assert connection.answer.headers["code"] == "login-refused"


@pytest.mark.parametrize("ticket", ["expired", "of another channel", "forged"])
def test_a_channel_with_the_wrong_ticket(page, ticket_for, ticket):
    """The broker lets nobody subscribe with it."""
    shown = {
        "expired": ticket_for(ROOM, now=time.time() - 120),
        "of another channel": ticket_for(f"{ROOM}s"),
        "forged": ticket_for(ROOM, FORGER),
    }[ticket]
    with page.listen("websocket") as connection:
        answer = connection.subscribe(ROOM, ticket=shown)
        assert (answer.command, answer.headers["code"]) == ("ERROR", "create-refused")


def test_a_post_without_a_csrf_token(page):
    """It is refused before anybody looks at it."""
    assert refusal(post(page)) == (403, "csrf-failed")


def test_a_post_from_a_foreign_origin(page):
    """It is refused even with the token."""
    headers = {"X-CSRFToken": page.parameters["csrf_token"]}
    assert post(page, **headers, Origin=page.url).status == 200
    answer = post(page, **headers, Origin="https://elsewhere.example")
    assert refusal(answer) == (403, "csrf-failed")


@pytest.mark.parametrize("name", ["send", "ticket", "channel"])
def test_a_post_with_somebody_elses_uuid(site, page, name):
    """It is refused: the page's token goes with its own uuid."""
    other = site.open_page(ROOMS)
    answer = page.post(name, uuid=other.uuid, message=None, channel="room:a")
    assert refusal(answer) == (403, "unknown-client")
