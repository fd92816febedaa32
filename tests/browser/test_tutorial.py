"""The applications that the documentation teaches: written as it says, they do what it says."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.support.documentation import files, make_checkout, manage, site, text_of, write

pytestmark = [pytest.mark.browser, pytest.mark.functional]


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of the site to write applications into."""
    return make_checkout(tmp_path)


def test_readme_application_is_a_dozen_lines() -> None:
    """The README promises a dozen lines, blank ones not counted."""
    texts = [text for _, text in files("README.md")]
    assert len(texts) == 2
    assert sum(1 for text in texts for line in text.splitlines() if line.strip()) <= 13


def test_readme_application_rolls_a_die(checkout: Path, page: Page) -> None:
    """The README's application pushes a number from 1 to 6 for each press of its button."""
    for path, text in files("README.md"):
        write(checkout, path, text)
    with site(checkout) as address:
        page.goto(f"{address}dice/")
        page.evaluate("thywill.application.ready()")
        page.get_by_role("button", name="Roll").click()
        expect(page.locator("body")).to_contain_text(re.compile(r"Roll\s+[1-6]\b"))


def test_tutorial_is_followed_to_its_end(checkout: Path, page: Page) -> None:
    """Each step of the tutorial gives what the tutorial says, errors included."""
    first, second = (
        files("documentation/tutorial/first-application.md")[n : n + 2] for n in (0, 2)
    )
    for path, text in first:
        write(checkout, path, text)
    with site(checkout) as address:
        page.goto(f"{address}dice/")
        page.evaluate("thywill.application.ready()")
        page.get_by_role("button", name="Roll").click()
        expect(page.locator("body")).to_contain_text(re.compile(r"Roll\s+[1-6]\b"))
    for path, text in second:
        write(checkout, path, text)
    with site(checkout) as address:
        page.goto(f"{address}dice/")
        page.evaluate("thywill.application.ready()")
        page.get_by_role("button", name="Roll").click()
        expect(page.locator("button")).to_have_text("a die with 20 sides")
        expect(page.locator("body")).to_contain_text(re.compile(r"rolled \d+"))
        mistake = """
            thywill.send.fn("roll", {sides: "many"})
                .then(() => "no error", (error) => `${error.code}: ${error.message}`)
        """
        answer = page.evaluate(mistake)
        assert answer.startswith("invalid-message:")
        assert "sides" in answer


def test_room_is_shared(checkout: Path, page: Page) -> None:
    """Two pages of the how-to's room see the same, and the shell's message too."""
    text = text_of("documentation/how-to/share-a-room.md")
    (outside,) = re.findall(r"shell -c '(.+)'$", text, re.MULTILINE)
    for path, source in files("documentation/how-to/share-a-room.md"):
        write(checkout, path, source)
    with site(checkout) as address, page.context.new_page() as second:
        page.goto(f"{address}lobby/")
        page.get_by_role("button", name="Say hello").click()
        expect(page.locator("p")).to_have_text(["1: hello"])
        second.goto(f"{address}lobby/")
        expect(second.locator("p")).to_have_text(["1: hello (from the history)"])
        shell = manage(checkout, "shell", "-c", outside)
        assert shell.returncode == 0, shell.stderr
        second.get_by_role("button", name="Say hello").click()
        for each in (page, second):
            expect(each.locator("p").last).to_have_text(re.compile("^3: hello"))
            expect(each.locator("p").nth(1)).to_have_text(re.compile("^2: from the shell"))


def test_application_of_2011_runs_as_it_is(checkout: Path, page: Page) -> None:
    """The how-to's old application gets its message, and pushes it back."""
    for path, source in files("documentation/how-to/migrate-from-thywill-python.md"):
        write(checkout, path, source)
    with site(checkout) as address:
        page.goto(f"{address}old_echo/")
        expect(page).to_have_title("Echo")
        expect(page.locator("pre")).to_contain_text("Echo: hello")
        expect(page.locator("pre")).to_contain_text("confirmed")
