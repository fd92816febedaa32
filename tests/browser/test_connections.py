"""The life of a page in a real browser: it comes, is ended by the site, or is closed."""

import re
import time
from collections.abc import Iterator
from datetime import datetime

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.support.site_process import SiteProcess, write_settings

pytestmark = [pytest.mark.browser, pytest.mark.functional]

IN_MEMORY = {"DJANGO_SETTINGS_MODULE": "tests.support.guests_in_memory", "PYTHONPATH": "."}
SOON = 1.0
"""Seconds within which a connection is ended, and the application hears of a closed page: what
users are promised."""

RELOAD_SECONDS = 8
"""How long somebody may be out of a room until that is told: more than any reload takes."""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SiteProcess]:
    """A site with a broker that reports connections."""
    home = tmp_path_factory.mktemp("site")
    source = f"""
from tests.support.guests_settings import *
THYWILL["client_interface"]["presence_grace_seconds"] = {RELOAD_SECONDS}
"""
    with SiteProcess(home, "--no-reload", **write_settings(home, source)) as process:
        yield process


@pytest.fixture(scope="module")
def site_in_memory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SiteProcess]:
    """A site without a broker, whose pages hold leases."""
    with SiteProcess(tmp_path_factory.mktemp("memory"), "--no-reload", **IN_MEMORY) as process:
        yield process


@pytest.fixture
def another_context(chromium: Browser) -> Iterator[BrowserContext]:
    """Another browser, as far as cookies go."""
    with chromium.new_context() as context:
        yield context


def open_page(context: BrowserContext, site: SiteProcess, rest: str = "") -> Page:
    """Load a page and wait until it is live and the application has noted it."""
    page = context.new_page()
    page.goto(f"{site.url}/thywill/init/{rest}")
    expect(page).to_have_title("live")
    site.wait_for_log(f"came {uuid_of(page)}")
    return page


@pytest.fixture(scope="module")
def bystander(chromium: Browser, site: SiteProcess) -> Iterator[Page]:
    """Bob's page, which stays while others log out."""
    with chromium.new_context() as context:
        log_in(context, site, "bob")
        yield open_page(context, site)


def uuid_of(page: Page) -> str:
    """The client's uuid."""
    uuid: str = page.evaluate("thywill.config.uuid")
    return uuid


def log_in(context: BrowserContext, site: SiteProcess, name: str) -> None:
    """Log in as somebody."""
    assert context.request.get(f"{site.url}/in/{name}/").ok


def assert_soon(site: SiteProcess, pattern: str, since: float) -> None:
    """The site has said something in time, by its own clock: browsers are slow to look at."""
    line = rf"(?m)^(\S+ \S+) .*{pattern}"
    site.wait_for_log(line)
    found = re.search(line, site.log)
    assert found is not None
    said_at = datetime.strptime(found[1], "%Y-%m-%d %H:%M:%S,%f")  # noqa: DTZ007 - local, as logs
    assert said_at.timestamp() - since < SOON


def assert_ended(site: SiteProcess, page: Page, since: float) -> None:
    """The page's connection is ended in time; the page says so with a code."""
    login = re.search(rf"connection (\d+): '{uuid_of(page)}' logged in", site.log)
    assert login is not None
    assert_soon(site, f"connection {login[1]}: closing, disconnected", since)
    expect(page).to_have_title("closed disconnected")


@pytest.mark.parametrize("transport", ["websocket", "xhrstream", "sse", "longpoll", "poll"])
def test_a_log_out_ends_every_tab(
    page: Page, bystander: Page, site: SiteProcess, transport: str
) -> None:
    """Both tabs of the session are closed within a second; the page of another user goes on.

    A tab that is loaded again is another page. When that is closed, the application hears it.
    """
    context = page.context
    log_in(context, site, "ada")
    tabs = [open_page(context, site, f"?transport={transport}") for _ in range(2)]
    since = time.time()
    assert context.request.get(f"{site.url}/out/").ok
    for tab in tabs:
        assert_ended(site, tab, since)
    assert bystander.evaluate("thywill.send.fn('present', 'nowhere')")["uuids"] == []
    assert bystander.title() == "live"
    tab.reload()
    expect(tab).to_have_title("live")
    uuid = uuid_of(tab)
    site.wait_for_log(f"came {uuid} as a visitor")
    tab.close()
    assert_soon(site, f"went {uuid} as a visitor", time.time())


def test_presence_in_the_page(
    page: Page, another_context: BrowserContext, site: SiteProcess
) -> None:
    """Who comes and goes is heard by name; neither a second tab nor a reload is."""
    log_in(page.context, site, "ada")
    log_in(another_context, site, "bob")
    witness = open_page(page.context, site, "#lobby")
    expect_heard(witness, ["join ada"])
    first = open_page(another_context, site, "#lobby")
    expect_heard(witness, ["join ada", "join bob"])
    second = open_page(another_context, site, "#lobby")
    second.evaluate("room.joined")
    names = witness.evaluate("room.presence().then((all) => all.map(({name}) => name))")
    assert names == ["ada", "bob"]
    uuid = uuid_of(second)
    first.close()
    second.reload()
    expect(second).to_have_title("live")
    second.evaluate("room.joined")
    site.wait_for_log(f"went {uuid}")
    second.close()
    expect_heard(witness, ["join ada", "join bob", "leave bob"])


def expect_heard(page: Page, events: list[str]) -> None:
    """Wait until a page has heard so many events; they are these."""
    expect(page.locator("#heard")).to_have_text(", ".join(events))


def test_pages_with_leases(page: Page, site_in_memory: SiteProcess) -> None:
    """Without a broker a page says itself that it comes and goes; a log-out ends it as well."""
    site = site_in_memory
    log_in(page.context, site, "ada")
    tab, other = open_page(page.context, site, "#lobby"), open_page(page.context, site)
    expect_heard(tab, ["join ada"])
    uuid = uuid_of(other)
    other.close()
    assert_soon(site, f"went {uuid} as ada", time.time())
    since = time.time()
    assert page.context.request.get(f"{site.url}/out/").ok
    assert_soon(site, f"went {uuid_of(tab)} as ada", since)
    expect(tab).to_have_title("closed disconnected")
    assert len(re.findall("came ", site.log)) == 2
