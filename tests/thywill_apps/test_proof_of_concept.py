"""The server side of the echo."""

import pytest
from pytest_django import Settings

from tests.support.page import thywill
from thywill_server import testing

TEXT = "héllo <b>&\"' 你好"
PUSH = {
    "memory": {"component": "thywill_server.push.in_memory.InMemory"},
    "orbited": {"component": "thywill_server.push.orbited_stomp.OrbitedStomp"},
}


@pytest.fixture(autouse=True, params=list(PUSH))
def site(request: pytest.FixtureRequest, settings: Settings, db: None) -> None:
    """The echo as the default application, over each way of pushing."""
    settings.THYWILL = thywill(
        application={"packages": "thywill_apps", "default": "proof_of_concept"},
        push=PUSH[request.param],
    )


def test_a_message_comes_back_to_its_page_alone() -> None:
    """The text is pushed to whoever sent it, bare, and there is no other reply."""
    with testing.open() as page, testing.open() as other:
        assert page.send(TEXT) is None
        assert page.expect(None, TEXT).content_type == "text/plain; charset=utf-8"
        page.expect_nothing()
        other.expect_nothing()


def test_what_is_no_text_comes_back_as_json_has_it() -> None:
    """The function of 2011 takes text, and is given text."""
    with testing.open() as page:
        page.send({"a": [1, None]})
        page.expect(None, '{"a":[1,null]}')


def test_a_short_time_offline_loses_nothing() -> None:
    """What was sent before the network went comes when it is back."""
    with testing.open() as page:
        page.send("one")
        with page.offline():
            assert page.state == "offline"
        page.send("two")
        page.expect(None, "two")
        assert [each.data for each in page.received] == ["one", "two"]


def test_the_page_names_what_it_consists_of() -> None:
    """Title, stylesheets and script are the application's; its template is the body."""
    with testing.open() as page:
        assert page.parameters == {"title": "Echo"}
        assert page.configuration["application_resources"] == [
            {"type": "css", "resource": "/static/thywill/look.css"},
            {"type": "css", "resource": "/static/proof_of_concept/echo.css"},
            {"type": "css", "resource": "/static/proof_of_concept/trips.css"},
            {"type": "javascript", "resource": "/static/thywill/connection.js"},
            {"type": "javascript", "resource": "/static/proof_of_concept/echo.js"},
        ]
        assert page.uuid in page.html.partition("<body>")[2]
