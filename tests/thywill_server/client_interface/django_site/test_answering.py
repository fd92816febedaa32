"""What a peer reads when a view fails: a code and a sentence, never a traceback."""

import logging
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.http import Http404, HttpRequest, HttpResponse
from django.test import Client as Browser
from django.test import RequestFactory
from pytest_django import Settings

from tests.support.page import Page, assert_refused
from thywill_server import apps
from thywill_server.client_interface.django_site.answering import answering

FORM = "application/x-www-form-urlencoded"


def answer(error: Exception, **options: Any) -> Any:
    """Let a view fail, and give what is answered."""

    @answering("GET", **options)
    def view(request: HttpRequest) -> HttpResponse:
        raise error

    return view(RequestFactory().get("/thywill/send/"))


@pytest.mark.parametrize("debug", [True, False])
def test_a_failure_is_logged_and_not_told(
    site: Settings, debug: bool, caplog: pytest.LogCaptureFixture
) -> None:
    """The traceback goes to the log, the browser gets a code; under DEBUG too."""
    site.DEBUG = debug
    fields = assert_refused(answer(ZeroDivisionError("secret")), 500, "site-failed")
    assert "secret" not in fields["message"]
    (record,) = [one for one in caplog.records if one.levelno >= logging.ERROR]
    assert record.exc_info is not None
    assert record.getMessage() == "/thywill/send/ failed"


def test_what_is_suspicious_is_malformed(caplog: pytest.LogCaptureFixture) -> None:
    """What Django calls suspicious is the peer's mistake: 400, one line in the log."""
    assert_refused(answer(SuspiciousOperation("too odd")), 400, "malformed-message")
    (record,) = caplog.records
    assert (record.levelno, record.exc_info) == (logging.WARNING, None)


def test_an_author_sees_the_mistake_of_a_page(site: Settings) -> None:
    """A page that fails under DEBUG is Django's to show; otherwise it is an answer as any other."""
    site.DEBUG = True
    with pytest.raises(ZeroDivisionError):
        answer(ZeroDivisionError(), has_debug_page=True)
    site.DEBUG = False
    assert_refused(answer(ZeroDivisionError(), has_debug_page=True), 500, "site-failed")


@pytest.mark.parametrize("error", [PermissionDenied(), Http404()])
def test_a_page_may_be_denied_by_its_application(error: Exception) -> None:
    """What an application raises in Django's words gets the site's own page for it."""
    with pytest.raises(type(error)):
        answer(error, has_debug_page=True)


@pytest.mark.parametrize("csrf", [None, ""])
def test_too_many_fields(page: Page, csrf: str | None) -> None:
    """A form with more fields than Django counts is refused, whoever sends it."""
    response = page.post("send", b"a=1&" * 3000, FORM, csrf=csrf)
    assert_refused(response, 400, "malformed-message")


def test_too_many_parameters(browser: Browser) -> None:
    """The same for an address."""
    fields = assert_refused(
        browser.get("/thywill/init/?" + "a=1&" * 3000), 400, "malformed-message"
    )
    assert "parameters" in fields["message"]


def test_a_push_component_that_fails(page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    """A ticket that cannot be given is a failure of the site, in JSON."""

    def fail(client: Any) -> str:
        raise OSError("the disk is full")

    monkeypatch.setattr(apps.components().push, "ticket", fail)
    assert_refused(page.post("ticket", page.identified()), 500, "site-failed")
