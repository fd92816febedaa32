"""The page at the site's root."""

import re
from types import ModuleType
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.http import HttpResponse
from django.test import Client as Browser
from django.test import override_settings
from django.urls import include, path
from django.utils.html import escape
from pytest_django import Settings

from tests.support.applications.testbed import thywill_interface as testbed
from tests.support.documentation import text_of
from tests.support.page import thywill
from thywill_server.application.base import Listing
from thywill_server.client_interface.django_site import index

HOW_TO = "documentation/how-to/put-an-application-into-a-page.md"
ORBITED = {"component": "thywill_server.push.orbited_stomp.OrbitedStomp"}


def links(response: Any) -> dict[str, str]:
    """The links of the page: their addresses, by their names."""
    found = re.findall(r'<a href="([^"]+)">([^<]+)</a>', response.content.decode())
    return {name: address for address, name in found}


def test_each_application_is_listed(browser: Browser) -> None:
    """By its title, with a link to its page and what it says of itself, in alphabetical order."""
    response = browser.get("/")
    assert response.status_code == 200
    found = links(response)
    assert found["Chat"] == "/thywill/init/chat/"
    assert found[escape(testbed.TITLE)] == "/thywill/init/testbed/"
    assert list(found) == sorted(found, key=str.casefold)
    assert "<code>testbed</code>, the default" in response.content.decode()


def test_it_may_be_kept_by_one_reader(browser: Browser) -> None:
    """It has no script and no inline code, and is asked for again each time."""
    response = browser.get("/")
    assert response["Cache-Control"] == "private, no-cache"
    assert response["Vary"] == "Cookie"
    assert "script-src" not in response["Content-Security-Policy"]
    assert "default-src 'none'" in response["Content-Security-Policy"]
    assert not re.search(r"<script|<style|\bon\w+=|\bstyle=", response.content.decode())
    assert "sessionid" not in response.cookies


def test_a_site_may_do_without(browser: Browser, site: Settings) -> None:
    """As the how-to tells: the default application at the root, or a page of the site's own."""
    section = text_of(HOW_TO).split("## At the site's root")[1]
    setting, urls = re.findall(r"^```python\n(.*?)^```", section, re.DOTALL | re.MULTILINE)
    names: dict[str, Any] = {"THYWILL": thywill(), "path": path, "include": include}
    exec(setting, names)
    site.THYWILL = names["THYWILL"]
    response = browser.get("/")
    assert (response.status_code, response["Location"]) == (302, "/thywill/init/")

    module = ModuleType("own_urls")
    module.__dict__.update(names, lobby=lambda request: HttpResponse("the lobby"))
    exec(urls, module.__dict__)
    site.ROOT_URLCONF = module
    assert browser.get("/").content == b"the lobby"
    assert browser.get("/thywill/init/").status_code == 200


def test_only_who_may_use_the_admin_is_led_there(browser: Browser) -> None:
    """A visitor sees neither the admin nor health; under DEBUG everybody does."""
    assert not {"Admin", "Health"} & set(links(browser.get("/")))
    with override_settings(DEBUG=True):
        assert links(browser.get("/"))["Admin"] == "/admin/"
        assert links(browser.get("/"))["Health"] == "/thywill/health/"
    browser.force_login(User.objects.create_superuser("ada"))
    assert links(browser.get("/"))["Admin"] == "/admin/"


@pytest.mark.parametrize(
    ("headers", "is_shown"),
    [
        ({"REMOTE_ADDR": "127.0.0.1"}, True),
        ({"REMOTE_ADDR": "::1"}, True),
        ({"REMOTE_ADDR": "127.0.0.1", "HTTP_X_FORWARDED_FOR": "127.0.0.1"}, False),
        ({"REMOTE_ADDR": "192.0.2.1"}, False),
        ({"REMOTE_ADDR": ""}, False),
    ],
)
def test_the_monitor_is_for_this_machine(
    browser: Browser, site: Settings, headers: dict[str, Any], is_shown: bool
) -> None:
    """The link is there for those whom Orbited shows its pages to."""
    site.THYWILL = thywill(push={**ORBITED, "orbited_url": "http://127.0.0.1:8001"})
    found = links(browser.get("/", **headers))
    address = "http://127.0.0.1:8001/system/monitor"
    assert found.get("Monitor") == (address if is_shown else None)


def test_a_silent_process_is_told(browser: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    """An application that is listed may be in another process, and that one not there."""
    listing = Listing("hall", "Hall <b>", is_silent=True)
    monkeypatch.setattr(
        "thywill_server.application.local_python.LocalPython.listings", lambda self: [listing]
    )
    text = browser.get("/").content.decode()
    assert "Its process does not answer." in text
    assert "Hall &lt;b&gt;" in text


def test_an_icon_that_is_not_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """A storage that knows its files refuses the name; the card has its letter instead."""

    def refuse(path: str) -> str:
        raise ValueError(f"Missing staticfiles manifest entry for '{path}'")

    monkeypatch.setattr(index, "static", refuse)
    assert index._picture(Listing("a", "A", icon="a/icon.svg")) is None


def test_a_broken_application_is_told_to_its_author(browser: Browser, site: Settings) -> None:
    """Under DEBUG the page has the sentence of the check; nobody else reads it."""
    site.THYWILL = thywill(application={"packages": ["nowhere"]})
    response = browser.get("/")
    assert (response.status_code, response.json()["code"]) == (500, "site-failed")
    with override_settings(DEBUG=True):
        response = browser.get("/")
    assert response.status_code == 500
    assert "there is no package &quot;nowhere&quot;" in response.content.decode()
