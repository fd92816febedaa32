"""The ratings in Chromium: two browsers side by side, whose process comes, dies and comes back."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.ratings_process import RatingsProcess
from tests.support.site_process import SiteProcess

pytestmark = [pytest.mark.browser, pytest.mark.functional]

PAGE = "/thywill/init/ratings/"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SiteProcess]:
    """A site as `./run` starts it; the process of the ratings is each test's."""
    with SiteProcess(tmp_path_factory.mktemp("site"), "--no-reload") as process:
        yield process


@pytest.fixture
def pages(chromium: Browser, site: SiteProcess) -> Iterator[list[Page]]:
    """Two browsers with the page; whatever either has to complain of fails the test."""
    complaints: list[str] = []
    with chromium.new_context() as one, chromium.new_context() as other:
        opened = []
        for context in (one, other):
            context.on("console", lambda message: complaints.append(message.text))
            context.on("weberror", lambda error: complaints.append(str(error.error)))
            page = context.new_page()
            page.goto(site.url + PAGE)
            opened.append(page)
        yield opened
    assert not complaints


def rate(page: Page, rating: int) -> None:
    """Choose a rating."""
    page.get_by_role("radio", name=f"{rating} of 5").check()


def expect_numbers(pages: list[Page], mean: str, distribution: list[int]) -> None:
    """Every page shows these: as text, as a table, and described for those who listen."""
    for page in pages:
        expect(page.locator("#mean")).to_have_text(mean)
        expect(page.locator("#numbers td")).to_have_text([str(count) for count in distribution])
        words = ", ".join(f"{count} gave {n}" for n, count in enumerate(distribution, 1))
        expect(page.locator("#distribution-text")).to_have_text(f"{words}.")
        expect(page.locator("#distribution-plot .bar")).to_have_count(
            sum(count > 0 for count in distribution)
        )


def say(page: Page, text: str) -> None:
    """Write and send, by keyboard."""
    field = page.get_by_label("Say something as")
    field.fill(text)
    field.press("Enter")


def test_two_browsers_outlive_the_process(pages: list[Page], site: SiteProcess) -> None:
    """Pages say that the process is missing and how to start it, and come alive when it starts.

    What one does the other sees. Killed and started again, it has all that they have seen, and
    what one chose meanwhile.
    """
    one, other = pages
    for page in pages:
        expect(page.get_by_role("heading", name="The ratings are not running")).to_be_visible()
        expect(page.locator("#away code")).to_contain_text(
            f"python manage.py ratings --port {site.stomp_port}"
        )
    rate(one, 5)
    with RatingsProcess(site.home, site.stomp_port, "--topic", "Waves") as process:
        for page in pages:
            expect(page.get_by_role("heading", name="Waves")).to_be_visible()
            expect(page.locator("#away")).to_be_hidden()
        rate(other, 2)
        expect_numbers(pages, "3.50", [0, 1, 0, 0, 1])
        say(one, "Well paced.")
        for page in pages:  # nobody promises an order between what two connections send
            expect(page.locator("#messages p")).to_have_text(["Well paced."])
        say(other, "<b>Louder</b>, please.")
        for page in pages:
            expect(page.locator("#messages p")).to_have_text(
                ["Well paced.", "<b>Louder</b>, please."]
            )
            expect(page.locator("#mean-plot .mean")).to_have_count(1)
            expect(page.get_by_role("img", name="The mean rating over time")).to_be_visible()
        process.kill()
    for page in pages:
        expect(page.locator("#away")).to_be_visible()
    say(other, "Is anybody there?")
    expect(other.get_by_role("alert")).to_contain_text("what you wrote is kept")
    expect(other.get_by_label("Say something as")).to_have_value("Is anybody there?")
    rate(one, 3)
    with RatingsProcess(site.home, site.stomp_port):
        expect_numbers(pages, "2.50", [0, 1, 1, 0, 0])
        for page in pages:
            expect(page.locator("#away")).to_be_hidden()
            expect(page.locator("#messages p")).to_have_count(2)
        other.get_by_label("Say something as").press("Enter")
        expect(one.locator("#messages p").last).to_have_text("Is anybody there?")
        name = one.locator("#name").inner_text()
        one.reload()
        expect(one.get_by_role("radio", name="3 of 5")).to_be_checked()
        expect(one.locator("#name")).to_have_text(name)
        expect_numbers(pages, "2.50", [0, 1, 1, 0, 0])
        one.get_by_role("radio", name="3 of 5").press("ArrowRight")
        expect_numbers(pages, "3.00", [0, 1, 0, 1, 0])
        one.get_by_role("button", name="Take it back").press("Enter")
        expect_numbers(pages, "2.00", [0, 1, 0, 0, 0])
        other.get_by_text("As Chaco draws it on the server").click()
        if find_spec("chaco") is None:
            expect(other.get_by_text("Chaco is not installed")).to_be_visible()
        else:
            picture = other.get_by_role("img", name="drawn by Chaco")
            expect(picture).to_have_js_property("naturalWidth", 720)
        one.close()
        expect_numbers([other], "2.00", [0, 1, 0, 0, 0])
        expect(other.locator("#clients")).to_have_text("1 page takes part")
