"""What holds for each application that comes with the site."""

import logging
from pathlib import Path
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.contrib.staticfiles import finders
from django.test import Client as Browser
from pytest_django import Settings

from tests.support.page import Page, thywill
from thywill_server.application.local_python import LocalPython
from thywill_server.application.packages import application_packages

NAMES = [package.rpartition(".")[2] for package in application_packages(["thywill_apps"])]


@pytest.fixture(autouse=True)
def site(settings: Settings, db: None) -> None:
    """A site with all of them, whose pages connect to Orbited."""
    push = {"component": "thywill_server.push.orbited_stomp.OrbitedStomp"}
    settings.THYWILL = thywill(application={"packages": "thywill_apps", "default": None}, push=push)


@pytest.mark.parametrize("name", NAMES)
def test_its_files_are_there(name: str) -> None:
    """The page names no stylesheet and no script that the site could not serve."""
    resources = Page(Browser(), f"/thywill/init/{name}/").configuration["application_resources"]
    assert resources
    for each in resources:
        assert finders.find(each["resource"].removeprefix("/static/")), each


@pytest.mark.parametrize("name", NAMES)
def test_a_transport_can_be_forced(name: str) -> None:
    """``?transport=`` is the site's, so it works for every page, and the page says so."""
    page = Page(Browser(), f"/thywill/init/{name}/?transport=longpoll")
    assert page.parameters["push"]["transports"] == ["longpoll"]
    assert len(Page(Browser(), f"/thywill/init/{name}/").parameters["push"]["transports"]) > 1


@pytest.mark.parametrize("name", NAMES)
def test_the_session_id_is_in_no_page_no_answer_and_no_log(
    name: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Who is signed in is known by the cookie, and the cookie's key is nowhere else."""
    caplog.set_level(logging.DEBUG)
    browser = Browser()
    browser.force_login(User.objects.create_user("cleo"))
    page = Page(browser, f"/thywill/init/{name}/")
    answer = page.send({"command": "no such", "message": {}}, message_id=str(uuid4()))
    key = browser.session.session_key
    assert key is not None
    assert page.uuid in page.html
    assert answer.json()["status"] in ("ok", "error")
    seen = [page.html, str(page.response.headers), answer.content.decode(), caplog.text]
    assert not [each for each in seen if key in each]


def test_the_index_has_a_sentence_and_a_picture_of_each() -> None:
    """Nobody is listed by a letter, and each picture is there."""
    listings = LocalPython({"packages": "thywill_apps"}).listings()
    assert [each.name for each in listings] == NAMES
    for each in listings:
        assert each.title
        assert each.description.endswith("."), each
        assert each.icon is not None, each
        icon = Path(str(finders.find(each.icon)))
        assert icon.read_text(encoding="utf-8").startswith("<svg "), each
