"""``{% thywill "app" %}`` in Chromium: an application in a page with a strict policy of its own."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.support.site_process import SiteProcess

pytestmark = [pytest.mark.browser, pytest.mark.functional]

SETTINGS = {"DJANGO_SETTINGS_MODULE": "tests.support.embedding_settings", "PYTHONPATH": "."}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SiteProcess]:
    """A site with a page of its own."""
    with SiteProcess(tmp_path_factory.mktemp("site"), "--no-reload", **SETTINGS) as process:
        yield process


def test_an_application_in_a_page_of_ones_own(page: Page, site: SiteProcess) -> None:
    """It is live, and sends and receives; the page around it stays, and its policy holds."""
    refused: list[str] = []
    page.on(
        "console",
        lambda message: refused.append(message.text) if "Policy" in message.text else None,
    )
    page.goto(f"{site.url}/own/")
    expect(page.get_by_role("heading", name="Above")).to_be_visible()
    expect(page.locator("#below")).to_be_visible()
    page.evaluate("thywill.application.ready()")
    assert page.title() == "My own page"
    heard = page.evaluate(
        """async () => {
            const heard = new Promise((resolve) => {
                thywill.push.onReceipt = (message) => resolve(message);
            });
            await thywill.send.fn("from my own page");
            return heard;
        }"""
    )
    assert heard == "from my own page"
    assert refused == []
    inline = page.evaluate(
        """() => {
            const script = document.createElement("script");
            script.textContent = "globalThis.ran = true";
            document.body.append(script);
            return globalThis.ran === undefined;
        }"""
    )
    assert inline  # the page's own policy still lets no inline code run
