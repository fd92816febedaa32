"""thywill's tables in Django's admin, in Chromium: a client is disconnected, a history cleared."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.site_process import SiteProcess, manage

pytestmark = [pytest.mark.browser, pytest.mark.functional]

SETTINGS = {"DJANGO_SETTINGS_MODULE": "tests.support.site_settings", "PYTHONPATH": "."}
PASSWORD = "seventeen wooden ladders"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SiteProcess]:
    """A site with rooms, and somebody who may do everything."""
    with SiteProcess(tmp_path_factory.mktemp("site"), "--no-reload", **SETTINGS) as process:
        who = ["--username", "root", "--email", "root@example.org"]
        made = manage(
            process.home,
            "createsuperuser",
            "--noinput",
            *who,
            DJANGO_SUPERUSER_PASSWORD=PASSWORD,
            **SETTINGS,
        )
        assert made.returncode == 0, made.stderr
        yield process


def choose(page: Page, action: str) -> None:
    """Do something with the first row of a list."""
    page.locator("[name=_selected_action]").first.check()
    page.locator("[name=action]").select_option(label=action)
    page.get_by_role("button", name=re.compile("^(Go|Run)")).click()  # Django 5.2, 6.1


def test_a_day_of_an_operator(page: Page, chromium: Browser, site: SiteProcess) -> None:
    """Log in, look at messages, clear a history after a question, disconnect a client."""
    with chromium.new_context() as visitor:
        room = visitor.new_page()
        room.goto(f"{site.url}/thywill/init/rooms/")
        room.evaluate("thywill.application.ready()")
        room.evaluate("thywill.send.fn('say', {room: 'lobby', text: '<b>hi</b>', times: 3})")
        uuid = room.evaluate("thywill.config.uuid")

        page.goto(f"{site.url}/admin/")
        page.get_by_label("Username").fill("root")
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Log in").click()
        page.get_by_role("link", name="Channels", exact=True).first.click()
        page.locator(".field-kept").get_by_role("link", name="3").click()
        expect(page.locator("#result_list tbody tr")).to_have_count(3)
        expect(page.locator("#result_list")).to_contain_text("<b>hi</b>")

        page.goto(f"{site.url}/admin/thywill/channel/")
        choose(page, "Clear the history of selected channels")
        expect(page.locator("#content")).to_contain_text("3 messages will be deleted")
        page.get_by_role("button", name="Yes, delete them").click()
        expect(page.locator(".messagelist")).to_have_text("3 messages were deleted.")

        page.goto(f"{site.url}/admin/thywill/connectedclient/?q={uuid}")
        choose(page, "Disconnect selected clients")
        expect(page.locator(".messagelist")).to_have_text("1 client is ended.")
        room.wait_for_function("thywill.state === 'closed'")
