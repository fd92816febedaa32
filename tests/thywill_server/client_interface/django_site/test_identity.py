"""Who a request may speak for."""

from collections.abc import Callable
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.core.signing import Signer
from django.test import Client as Browser
from django.test import RequestFactory
from pytest_django import Settings

from tests.support.page import Page, assert_refused, thywill
from thywill_server.client import Client
from thywill_server.client_interface.django_site import identity
from thywill_server.push.orbited_stomp import OrbitedStomp
from thywill_server.push.orbited_stomp.ticket_key import load_ticket_key
from thywill_server.push.orbited_stomp.tickets import read_ticket


def test_uuid_of_another_tab(browser: Browser) -> None:
    """A token is good for its own uuid only, even within one session."""
    mine, other = Page(browser), Page(browser)
    assert_refused(mine.send("x", uuid=other.uuid), 403, "unknown-client")
    assert_refused(mine.send("x", token=other.token), 403, "unknown-client")


def test_tokens_of_another_session(page: Page) -> None:
    """Whoever has seen a page's uuid and token cannot use them from another session."""
    stranger = Page(Browser(enforce_csrf_checks=True))
    refused = stranger.send("x", uuid=page.uuid, token=page.token)
    assert_refused(refused, 403, "unknown-client")


@pytest.mark.parametrize("secret", ["s" * 50, b"\x00\xff" * 25])
@pytest.mark.parametrize("claim", ["uuid\napplication\nidentity", "", "h\u00e9:\u20ac\n:"])
def test_signatures_are_those_of_django(claim: str, secret: str | bytes) -> None:
    """The short way signs as Django's own signer does."""
    signer: Signer = Signer(key=secret, salt=identity.SALT)  # type: ignore[arg-type]
    assert signer.signature(claim) == identity.signature(claim, secret)


def test_without_a_session(page: Page) -> None:
    """Without the session's cookie a token is worth nothing."""
    del page.browser.cookies["sessionid"]
    assert_refused(page.send("x"), 403, "unknown-client")


@pytest.mark.parametrize(
    "forge",
    [
        lambda token: token[:-1] + ("A" if token[-1] != "A" else "B"),
        lambda token: token.replace("testbed", "proof_of_concept"),
        lambda token: token.partition(":")[2],
        lambda token: ":",
        lambda token: token + ":",
        lambda token: "testbed:" + "A" * 43,
        lambda token: "é" * 40,
    ],
)
def test_forged_tokens(page: Page, forge: Callable[[str], str]) -> None:
    """Any change to a token, its application's name included, makes it worthless."""
    assert_refused(page.send("x", token=forge(page.token)), 403, "unknown-client")


def test_text_cannot_move_from_one_field_to_the_next(page: Page) -> None:
    """A uuid that holds a line break and more does not make the same claim."""
    moved = page.send("x", uuid=f"{page.uuid}\ntestbed", token=page.token.partition(":")[2])
    assert_refused(moved, 403, "unknown-client")


def test_log_in_keeps_the_page(page: Page) -> None:
    """A log-in gives the session a new key; the page that was open goes on, as the user."""
    user = User.objects.create_user("anna", password="secret")
    before = page.send({}, command="who").json()["reply"]
    page.browser.force_login(user)
    page.browser.cookies["csrftoken"] = "a" * 32  # a log-in makes a new one
    assert_refused(page.send({}, command="who"), 403, "csrf-failed")
    page.parameters["csrf_token"] = page.browser.get("/thywill/csrf/").json()["csrf_token"]
    after = page.send({}, command="who").json()["reply"]
    assert (before["is_authenticated"], after["is_authenticated"]) == (False, True)
    assert after["user"] == "anna"
    assert after["uuid"] == page.uuid
    assert after["session_key"] != before["session_key"]
    assert after["session_identity"] == before["session_identity"]


def test_an_async_function_knows_the_user(page: Page) -> None:
    """The user was read before the event loop began, in which Django would refuse it."""
    page.browser.force_login(User.objects.create_user("anna"))
    page.parameters["csrf_token"] = page.browser.get("/thywill/csrf/").json()["csrf_token"]
    reply = page.send({}, command="who async").json()["reply"]
    assert (reply["user"], reply["is_authenticated"]) == ("anna", True)


def test_log_out_ends_every_page(page: Page) -> None:
    """A log-out empties the session: no page of it may send any more."""
    page.browser.force_login(User.objects.create_user("anna"))
    assert page.send("x").status_code == 200
    page.browser.session.flush()  # what django.contrib.auth.logout does
    assert_refused(page.send("x"), 403, "unknown-client")
    assert_refused(page.post("ticket", page.identified()), 403, "unknown-client")


def test_next_session_has_another_identity(browser: Browser) -> None:
    """What stands for a session ends with it: the pages after a log-out have a new one."""
    before = Page(browser).send({}, command="who").json()["reply"]["session_identity"]
    browser.session.flush()
    assert Page(browser).send({}, command="who").json()["reply"]["session_identity"] != before


def test_tickets_outlive_a_log_in(page: Page, site: Settings, tmp_path: Path) -> None:
    """A connection takes only tickets of its own session, so a log-in must not change that."""
    key_file = tmp_path / "ticket.key"
    component = OrbitedStomp({"ticket_key_file": key_file})
    clients: list[Client] = []
    page.browser.force_login(User.objects.create_user("anna"))
    request = RequestFactory().get("/")
    request.session = page.browser.session
    for _ in range(2):
        clients.append(identity.new_client(request, "testbed", None))
        request.session.cycle_key()
    keys = {client.session_key for client in clients}
    tickets = [read_ticket(load_ticket_key(key_file), component.ticket(one)) for one in clients]
    assert len(keys) == 2
    assert len({ticket.session for ticket in tickets}) == 1


def test_application_that_is_gone(page: Page, site: Settings) -> None:
    """A page of an application that was taken out is told so."""
    site.THYWILL = thywill(application={"packages": "thywill_apps", "default": "proof_of_concept"})
    assert_refused(page.send("x"), 404, "unknown-application")


def test_tokens_survive_a_new_secret_key(page: Page, site: Settings) -> None:
    """With the old key among the fallbacks, open pages go on; without it they end."""
    site.SECRET_KEY_FALLBACKS = [site.SECRET_KEY]
    site.SECRET_KEY = "another"
    assert page.send("x").status_code == 200
    site.SECRET_KEY_FALLBACKS = []
    assert_refused(page.send("x"), 403, "unknown-client")


def test_session_is_written_once(browser: Browser) -> None:
    """Only the first page of a session writes; every later load and message just reads it."""
    page = Page(browser)
    key = browser.session.session_key
    assert "sessionid" not in browser.get("/thywill/init/").cookies
    assert "sessionid" not in page.send("x").cookies
    assert browser.session.session_key == key
