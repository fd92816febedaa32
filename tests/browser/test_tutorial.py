"""The applications that the documentation teaches: written as it says, they do what it says."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

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
    """Each press of the button is a number from 1 to 6 in every window, and in one that is late."""
    for path, text in files("README.md"):
        write(checkout, path, text)
    with site(checkout) as address, page.context.new_page() as second:
        for each in (page, second):
            each.goto(f"{address}dice/")
            each.evaluate("thywill.channel('table').joined")
        page.get_by_role("button", name="Roll").click()
        expect(page.locator("body")).to_contain_text(re.compile(r"Roll\s+[1-6]\b"))
        number = page.locator("body").inner_text().split()[-1]
        expect(second.locator("body")).to_contain_text(f"Roll {number}")
        second.reload()
        expect(second.locator("body")).to_contain_text(f"Roll {number}")


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
        expect(page.get_by_role("button", name="a die with 20 sides")).to_be_visible()
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
        expect(page.locator("p")).to_have_text(["1: hello", "2: from the shell"])
        second.get_by_role("button", name="Say hello").click()
        expect(page.locator("p")).to_have_text(["1: hello", "2: from the shell", "3: hello"])


def test_application_of_2011_runs_as_it_is(checkout: Path, page: Page) -> None:
    """The how-to's old application gets its message, and pushes it back."""
    for path, source in files("documentation/how-to/migrate-from-thywill-python.md"):
        write(checkout, path, source)
    with site(checkout) as address:
        page.goto(f"{address}old_echo/")
        expect(page).to_have_title("Echo")
        expect(page.locator("pre")).to_contain_text("Echo: hello")
        expect(page.locator("pre")).to_contain_text("confirmed")


WALL = "documentation/tutorial/echo-to-channel.md"


def say(page: Page, text: str) -> None:
    """Write into the field of the wall, and press Enter."""
    page.locator("input").fill(text)
    page.locator("input").press("Enter")


def test_the_wall_begins_as_an_echo(checkout: Path, page: Page) -> None:
    """Steps 1 to 3: an echo; then a typed command with a reply and a refusal."""
    pages = files(WALL)
    for path, text in pages[:2]:
        write(checkout, path, text)
    with site(checkout) as address:
        page.goto(f"{address}wall/")
        page.evaluate("thywill.application.ready()")
        say(page, "hello")
        expect(page.locator("li")).to_have_text(["hello"])
    for path, text in pages[2:4]:
        write(checkout, path, text)
    with site(checkout) as address:
        page.goto(f"{address}wall/")
        page.evaluate("thywill.application.ready()")
        say(page, "hello")
        expect(page.locator("li")).to_have_text(["hello"])
        expect(page.locator("input")).to_have_attribute("placeholder", "5 characters")
        say(page, "x" * 81)
        expect(page.locator("li").last).to_have_text("too-long: A note has 80 characters at most.")


def test_the_wall_loses_nothing(checkout: Path, page: Page, chromium: Browser) -> None:
    """Steps 4 to 12: two visitors, a rate, a history, an absence, a shell, and a roll-back."""
    pages = files(WALL)
    commands = re.findall(r"shell -c '(.+?)'$", text_of(WALL), re.MULTILINE | re.DOTALL)
    for path, text in pages[4:6]:
        write(checkout, path, text)
    context = chromium.new_context()
    with context, site(checkout) as address:
        other = context.new_page()
        for each in (page, other):
            each.goto(f"{address}wall/")
            each.evaluate("thywill.channel('wall').joined")
        say(page, "hello")
        for each in (page, other):
            expect(each.locator("li")).to_have_text(["hello"])
        refused = """
            Promise.allSettled(Array.from({length: 40}, () =>
                thywill.send.fn("write", {text: "often"})
            )).then((all) => all.filter(({status}) => status === "rejected").map(({reason}) =>
                `${reason.code} ${reason.retryAfter > 0}`
            ))
        """
        # All are answered then, so that none of them is heard later.
        assert set(page.evaluate(refused)) == {"too-many-requests true"}
        other.reload()
        other.evaluate("thywill.channel('wall').joined")
        expect(other.locator("li")).to_have_count(0)
        page.goto("about:blank")
        other.goto("about:blank")
    for path, text in pages[6:8]:
        write(checkout, path, text)
    context = chromium.new_context()
    with context, site(checkout) as address:
        other = context.new_page()
        for each in (page, other):
            each.goto(f"{address}wall/")
            each.evaluate("thywill.channel('wall').joined")
        for each in (page, other):
            expect(each.locator("p")).to_have_text("2 here")
        say(page, "one")
        expect(other.locator("li")).to_have_text(["1 one"])
        other.reload()
        expect(other.locator("li")).to_have_text(["1 one *"])
        other.evaluate("thywill.channel('wall').joined")
        other.evaluate("thywill.close()")
        say(page, "two")
        expect(page.locator("li")).to_have_text(["1 one", "2 two"])
        for command in commands:
            shell = manage(checkout, "shell", "-c", command)
            assert shell.returncode == 0, shell.stderr
        expect(page.locator("li")).to_have_text(["1 one", "2 two", "3 from the shell"])
        say(page, "four")
        expect(page.locator("li")).to_have_text(["1 one", "2 two", "3 from the shell", "4 four"])
        other.evaluate("thywill.open()")
        expect(other.locator("li")).to_have_text(
            ["1 one *", "2 two *", "3 from the shell *", "4 four *", "nothing was missed"]
        )


def test_channels_of_the_how_to(checkout: Path, page: Page) -> None:
    """Presence, a refusal in words, a private channel, and a snapshot for one who comes later."""
    for path, source in files("documentation/how-to/write-channels.md"):
        write(checkout, path, source)
    with site(checkout) as address, page.context.new_page() as second:
        page.goto(f"{address}match/")
        expect(page.locator("h1")).to_have_text("0")
        expect(page.locator("body")).to_have_attribute("data-box", "not-allowed")
        page.evaluate("thywill.channel('match:1').joined")
        page.get_by_role("button", name="Goal").click()
        expect(page.locator("p")).to_have_text("Nobody is there to see it.")
        second.goto(f"{address}match/")
        second.evaluate("thywill.channel('match:1').joined")
        second.get_by_role("button", name="Goal").click()
        for each in (page, second):
            expect(each.locator("h1")).to_have_text("1")
        second.reload()
        expect(second.locator("h1")).to_have_text("1")
