"""What the overlay of a page is told, and to whom: nobody where DEBUG is off."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import AnonymousUser
from django.test import Client as Browser
from pytest_django import Settings

from tests.support.page import Page, thywill
from thywill_server.application.local_python import LocalPython
from thywill_server.apps import components
from thywill_server.client import Client
from thywill_server.client_interface.django_site.recent_errors import (
    MAX_ERRORS,
    MAX_SESSIONS,
    MAX_TRACEBACK_CHARACTERS,
    RecentErrors,
)
from thywill_server.errors import Refusal


def test_nothing_without_debug(page: Page) -> None:
    """There is neither the script nor the address."""
    assert "debug_path" not in page.parameters
    answer = page.post("debug", page.identified())
    assert (answer.status_code, answer.json()["code"]) == (404, "not-found")


def test_nothing_when_it_is_not_wanted(site: Settings, browser: Browser) -> None:
    """A setting turns it off."""
    site.DEBUG = True
    site.THYWILL = thywill(client_interface={"debug_overlay": False})
    page = Page(browser)
    assert "debug_path" not in page.parameters
    assert page.post("debug", page.identified()).status_code == 404


def test_the_errors_of_a_session(site: Settings, browser: Browser) -> None:
    """A refusal has its code, and the line that has raised it; another session sees nothing."""
    site.DEBUG = True
    page = Page(browser)
    assert page.send("x", command="nobody-knows-it").status_code == 400
    (error,) = page.post("debug", page.identified()).json()["errors"]
    assert error["code"] == "unknown-command"
    assert error["what"] == "nobody-knows-it"
    assert error["is_refusal"] is True
    assert "Traceback" in error["traceback"]
    other = Page(Browser(enforce_csrf_checks=True))
    assert other.post("debug", other.identified()).json()["errors"] == []


def test_what_fails_when_a_page_comes(
    site: Settings, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is outside of any request of the page, which sees it all the same; no other page does."""

    def greet(client: Client) -> None:
        raise KeyError("nobody greets")

    site.DEBUG = True
    page, other = Page(browser), Page(browser)
    application = components().application
    assert isinstance(application, LocalPython)
    monkeypatch.setattr(application.applications["testbed"].app, "connect_functions", [greet])
    application.client_connected(Client(page.uuid, None, AnonymousUser(), "testbed"))
    (error,) = page.post("debug", page.identified()).json()["errors"]
    assert error["what"].endswith(".greet")
    assert error["code"] == "KeyError"
    assert "nobody greets" in error["traceback"]
    assert other.post("debug", other.identified()).json()["errors"] == []


def failure(error: Exception) -> Exception:
    """Give an error as it is caught."""
    try:
        raise error
    except Exception as caught:
        return caught


def test_it_is_bounded() -> None:
    """Errors of a session, sessions, and the characters of a traceback."""
    errors = RecentErrors()
    for number in range(MAX_ERRORS + 1):
        errors.note("first", str(number), failure(Refusal("not-allowed")))
    assert [error["what"] for error in errors.of("first")] == [
        str(number) for number in range(MAX_ERRORS, 0, -1)
    ]
    errors.note("first", "long", failure(ValueError("x" * 2 * MAX_TRACEBACK_CHARACTERS)))
    assert len(str(errors.of("first")[0]["traceback"])) == MAX_TRACEBACK_CHARACTERS
    for number in range(MAX_SESSIONS):
        errors.note(str(number), "new", failure(KeyError("x")))
    assert errors.of("first") == []
    assert len(errors.of("0")) == 1
    errors.note(None, "no session", failure(KeyError("x")))
    assert errors.of(None) == []
