"""The overlay that pages have under DEBUG, in Chromium."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.support.site_process import SiteProcess

pytestmark = [pytest.mark.browser, pytest.mark.functional]

SETTINGS = {"DJANGO_SETTINGS_MODULE": "tests.support.site_settings", "PYTHONPATH": "."}
ROOMS = "/thywill/init/rooms/"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SiteProcess]:
    """A site under DEBUG."""
    with SiteProcess(tmp_path_factory.mktemp("site"), "--no-reload", **SETTINGS) as process:
        yield process


def badge(page: Page) -> Locator:
    """What opens it."""
    return page.locator("#thywill-debug button")


def overlay(page: Page) -> Locator:
    """What is opened."""
    return page.get_by_role("region", name="thywill, for the author of this page")


def test_connection_and_channels(page: Page, site: SiteProcess) -> None:
    """State, transport, and each channel with its offset, or why it is refused."""
    page.goto(site.url + ROOMS)
    expect(badge(page)).to_have_text("live")
    expect(overlay(page)).to_be_hidden()
    badge(page).click()
    expect(overlay(page)).to_contain_text("The page is in none.")
    expect(overlay(page)).to_contain_text("websocket")
    page.evaluate("thywill.channel('room:lobby').joined")
    page.evaluate("void thywill.channel('room:secret plans')")
    page.evaluate("thywill.send.fn('say', {room: 'lobby', text: 'hi', times: 3})")
    rows = overlay(page).get_by_role("row")
    expect(rows.nth(1)).to_have_text(re.compile("room:lobby *joined *3"))
    expect(rows.nth(2)).to_contain_text('not-allowed: You may not join "room:secret plans".')
    page.keyboard.press("Escape")
    expect(overlay(page)).to_be_hidden()
    page.keyboard.press("Alt+Shift+D")
    expect(overlay(page)).to_be_visible()
    page.evaluate("thywill.close()")
    expect(badge(page)).to_have_text("closed")


def test_errors_of_this_session_only(page: Page, chromium: Browser, site: SiteProcess) -> None:
    """A mistake in an application is there with its traceback; another browser sees nothing."""
    page.goto(site.url + ROOMS)
    page.evaluate("thywill.send.fn('say', {room: 'lobby'}).catch(() => {})")
    page.evaluate("thywill.send.fn('refuse', {room: 'x', text: '<b>x</b>'}).catch(() => {})")
    page.evaluate("thywill.application.ready()")
    badge(page).click()
    errors = overlay(page).locator("details")
    expect(errors).to_have_count(2)
    expect(errors.nth(0)).to_contain_text("no")
    expect(errors.nth(0)).to_contain_text("It is over.")
    errors.nth(0).locator("summary").click()
    expect(errors.nth(0).locator("pre")).to_contain_text('raise ApplicationError("no"')
    expect(errors.nth(1)).to_contain_text("invalid-message")
    with chromium.new_context() as another:
        other = another.new_page()
        other.goto(site.url + ROOMS)
        badge(other).click()
        expect(overlay(other)).to_contain_text("None so far.")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_fits_everywhere(chromium: Browser, site: SiteProcess, scheme: str) -> None:
    """It has room on a telephone, in both color schemes, and no color of the page's."""
    with chromium.new_context(
        viewport={"width": 360, "height": 640},
        color_scheme=scheme,  # type: ignore[arg-type]
    ) as context:
        page = context.new_page()
        page.goto(site.url + ROOMS)
        badge(page).click()
        expect(overlay(page)).to_contain_text("None so far.")
        box = overlay(page).bounding_box()
        assert box is not None
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 360
        paper = overlay(page).evaluate("(element) => getComputedStyle(element).backgroundColor")
        assert paper == {"light": "rgb(255, 255, 255)", "dark": "rgb(26, 32, 38)"}[scheme]


def test_the_badge_hides_no_control(page: Page, site: SiteProcess) -> None:
    """It goes where nothing is to be pressed, also on a telephone, and stays while it is open."""
    page.set_viewport_size({"width": 360, "height": 640})
    page.goto(site.url + ROOMS)
    expect(badge(page)).to_have_text("live")
    page.evaluate(
        """() => {
          for (const side of ["right", "left"]) {
            const button = document.createElement("button");
            button.textContent = side;
            button.style.cssText = `position: fixed; bottom: 0; ${side}: 0; padding: 1em 2em`;
            button.onclick = () => button.remove();
            document.body.append(button);
          }
          const board = document.createElement("canvas");
          board.style.cssText = "position: fixed; inset: 0 0 4rem; width: 360px; height: 500px";
          document.body.append(board);
        }"""
    )
    page.get_by_role("button", name="left").click()
    page.get_by_role("button", name="right").click()
    badge(page).click()
    expect(overlay(page)).to_be_in_viewport(ratio=0.99)


@pytest.mark.parametrize("height", [780, 812, 844, 896])
def test_the_badge_hides_no_word_of_a_header(page: Page, site: SiteProcess, height: int) -> None:
    """On a telephone with the whiteboard it hides neither the name of the site nor a heading."""
    page.set_viewport_size({"width": 390, "height": height})
    page.goto(f"{site.url}/thywill/init/commands/")
    expect(badge(page)).to_have_text("live")
    expect(page.locator("#people")).to_contain_text("(you)")
    page.wait_for_function(IS_CLEAR)


IS_CLEAR = """() => {
  const host = document.getElementById("thywill-debug");
  const box = host.shadowRoot.querySelector("button").getBoundingClientRect();
  return [...document.querySelectorAll(".brand, h1, h2, #state, button, a, summary")].every(
    (element) => {
      const words = document.createRange();
      words.selectNodeContents(element);
      const area = words.getBoundingClientRect();
      return (
        Math.min(area.right, box.right) <= Math.max(area.left, box.left) ||
        Math.min(area.bottom, box.bottom) <= Math.max(area.top, box.top)
      );
    },
  );
}"""
