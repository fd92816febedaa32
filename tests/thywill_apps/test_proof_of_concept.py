"""The server side of the echo, in both of its forms."""

import pytest
from pytest_django import Settings

from tests.support.documentation import ROOT, files
from tests.support.page import thywill
from thywill_server import testing

TEXT = "héllo <b>&\"' 你好"
FORMS = ("proof_of_concept", "echo")
PUSH = {
    "memory": {"component": "thywill_server.push.in_memory.InMemory"},
    "orbited": {"component": "thywill_server.push.orbited_stomp.OrbitedStomp"},
}
PAGE = "documentation/how-to/write-an-application-in-either-form.md"


@pytest.fixture(params=FORMS)
def form(request: pytest.FixtureRequest) -> str:
    """The name of the application: two functions, or an `App`."""
    name: str = request.param
    return name


@pytest.fixture(autouse=True, params=list(PUSH))
def site(request: pytest.FixtureRequest, form: str, settings: Settings, db: None) -> None:
    """The echo as the default application, over each way of pushing."""
    settings.THYWILL = thywill(
        application={"packages": "thywill_apps", "default": form},
        push=PUSH[request.param],
    )


def test_a_message_comes_back_to_its_page_alone() -> None:
    """The text is pushed to whoever sent it, bare, and there is no other reply."""
    with testing.open() as page, testing.open() as other:
        assert page.send(TEXT) is None
        assert page.expect(None, TEXT).content_type == "text/plain; charset=utf-8"
        page.expect_nothing()
        other.expect_nothing()


def test_what_is_no_text_comes_back_as_the_form_has_it(form: str) -> None:
    """The function of 2011 takes text, and is given text; an App is given the value."""
    with testing.open() as page:
        page.send({"a": [1, None]})
        page.expect(None, {"a": [1, None]} if form == "echo" else '{"a":[1,null]}')


def test_a_short_time_offline_loses_nothing() -> None:
    """What was sent before the network went comes when it is back."""
    with testing.open() as page:
        page.send("one")
        with page.offline():
            assert page.state == "offline"
        page.send("two")
        page.expect(None, "two")
        assert [each.data for each in page.received] == ["one", "two"]


def test_the_page_names_what_it_consists_of(form: str) -> None:
    """Title, stylesheets and scripts are the same in both forms; so is the body's template."""
    with testing.open() as page:
        assert page.parameters == {"title": "Echo"}
        told: dict[str, list[str]] = {"css": [], "javascript": []}
        for each in page.configuration["application_resources"]:
            told[each["type"]].append(each["resource"])
        assert told == {
            "css": [
                "/static/thywill/look.css",
                "/static/proof_of_concept/echo.css",
                "/static/proof_of_concept/trips.css",
            ],
            "javascript": [
                "/static/thywill/connection.js",
                "/static/proof_of_concept/echo.js",
            ],
        }
        body = page.html.partition("<body>")[2]
        assert page.uuid in body
        assert f"<code>{form}</code>" in body


def test_the_how_to_shows_what_is_served(form: str) -> None:
    """The two files of the page are those of the site, to the letter."""
    shown = dict(files(PAGE))
    path = f"thywill_apps/{form}/thywill_interface.py"
    assert shown[path] == (ROOT / path).read_text(encoding="utf-8")
    assert len(shown) == len(FORMS)
