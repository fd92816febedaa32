"""The server side of the echo."""

import pytest
from django.test import Client as Browser
from pytest_django import Settings

from tests.support.page import Page, thywill
from thywill_server import apps

TEXT = "héllo <b>&\"' 你好"


@pytest.fixture(autouse=True)
def site(settings: Settings) -> None:
    """The echo as the only application, with push in memory."""
    settings.THYWILL = thywill(
        application={"packages": "thywill_apps", "default": "proof_of_concept"}
    )


def pushed(page: Page) -> list[tuple[str, str]]:
    """What was pushed to a page."""
    found = apps.components().push.wait_for_messages(page.uuid, 0, 0)  # type: ignore[attr-defined]
    return [(delivery.message.body.decode(), delivery.message.content_type) for delivery in found]


@pytest.mark.django_db(transaction=True)
def test_a_message_comes_back_to_its_page_alone() -> None:
    """The text is pushed to whoever sent it, bare, and there is no other reply."""
    page, other = Page(Browser()), Page(Browser())
    assert page.send(TEXT, id="1").json() == {"status": "ok", "id": "1", "reply": None}
    assert pushed(page) == [(TEXT, "text/plain; charset=utf-8")]
    assert pushed(other) == []


@pytest.mark.django_db
def test_the_page_names_what_it_consists_of() -> None:
    """Title, stylesheet and script are the application's; its template is the body."""
    page = Page(Browser())
    assert page.configuration["application_parameters"] == {"title": "Echo"}
    assert page.configuration["application_resources"] == [
        {"type": "css", "resource": "/static/proof_of_concept/echo.css"},
        {"type": "css", "resource": "/static/proof_of_concept/trips.css"},
        {"type": "javascript", "resource": "/static/proof_of_concept/echo.js"},
    ]
    assert page.uuid in page.html.partition("<body>")[2]
