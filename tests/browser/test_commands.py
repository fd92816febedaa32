"""The whiteboard in Chromium: what is drawn in one browser is seen in another."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.support.documentation import files, write
from tests.support.site_process import SiteProcess, manage, migrate, write_settings

pytestmark = [pytest.mark.browser, pytest.mark.functional]

SETTINGS = """
MORE = ["tests.support.applications.switchboard", "how_to_apps.tally"]
THYWILL["application"]["packages"] = ["thywill_apps", *MORE]
INSTALLED_APPS += MORE
THYWILL["log"]["level"] = "DEBUG"
LOGGING = logging_config(THYWILL)
"""
PREPARE = """
from django.contrib.auth.models import User
from django.test import Client
browser = Client()
browser.force_login(User.objects.create(username="cleo"))
print(browser.session.session_key)
"""
ONE_SLOW = """async () => {
    const { commands } = await import("/static/thywill/commands.js");
    await thywill.application.ready();
    const heard = [];
    for (const key of ["wait", "add", "fired_later", "later", "release"]) {
        commands.on(key, (answer) => heard.push(answer));
    }
    const waiting = commands.send({ wait: null });
    await commands.send({ add: [20, 22] });
    await commands.send({ fired_later: "fired", later: 0.01 });
    await commands.send({ release: null });
    await waiting;
    return heard;
}"""


class Board:
    """A site with the whiteboard."""

    def __init__(self, process: SiteProcess, session: str) -> None:
        self.process = process
        self.session = session

    def enter(self, context: BrowserContext, name: str | None = None) -> Page:
        """Open the board, under a name; or as whoever the browser is."""
        page = context.new_page()
        page.goto(f"{self.process.url}/thywill/init/commands/")
        expect(own_name(page)).to_be_visible()
        if name is not None:
            page.get_by_label("Your name").fill(name)
            page.get_by_role("button", name="Set").click()
            expect(own_name(page)).to_have_text(f"{name} (you)")
        return page

    def as_cleo(self, context: BrowserContext) -> None:
        """Give a browser the session of somebody who is signed in."""
        cookie = {"name": "sessionid", "value": self.session, "url": self.process.url}
        context.add_cookies([cookie])  # type: ignore[list-item]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Board]:
    """One site, which logs all that it can."""
    home = tmp_path_factory.mktemp("site")
    for path, text in files("documentation/how-to/commands.md"):
        write(home, path.replace("thywill_apps/", "how_to_apps/"), text)
    settings = write_settings(home, SETTINGS)
    migrate(home, **settings)
    done = manage(home, "shell", "--verbosity", "0", "-c", PREPARE, **settings)
    assert done.returncode == 0, done.stderr
    session = done.stdout.split()[-1]
    with SiteProcess(home, "--no-reload", **settings) as process:
        yield Board(process, session)


@pytest.fixture(scope="module")
def visitors(site: Board, chromium: Browser) -> Iterator[tuple[Page, Page]]:
    """Ada at a desk and Ben on a phone; their browsers may complain of nothing."""
    complaints: list[str] = []
    phone: dict[str, Any] = {
        "viewport": {"width": 390, "height": 844},
        "has_touch": True,
        "is_mobile": True,
    }
    with (
        chromium.new_context(viewport={"width": 1280, "height": 800}) as one,
        chromium.new_context(**phone) as other,
    ):
        for context in (one, other):
            context.on("console", lambda message: complaints.append(message.text))
            context.on("weberror", lambda error: complaints.append(str(error.error)))
        yield site.enter(one, "Ada"), site.enter(other, "Ben")
    assert not complaints


@pytest.fixture
def pages(visitors: tuple[Page, Page]) -> tuple[Page, Page]:
    """The two, alone, before an empty board."""
    ada, ben = visitors
    for page in visitors:
        expect(people(page)).to_have_count(2)
    if lines(ada).count():
        for page in visitors:
            page.get_by_role("button", name="Vote to clear").click()
        for page in visitors:
            expect(lines(page)).to_have_count(0)
    return ada, ben


def people(page: Page) -> Any:
    """The names of those who are here."""
    return page.locator("#people .person")


def own_name(page: Page) -> Any:
    """The reader's own name."""
    return people(page).filter(has_text="(you)")


def lines(page: Page) -> Any:
    """The strokes on the board."""
    return page.locator("#strokes path")


def place(page: Page, x: float, y: float) -> tuple[float, float]:
    """A point of the page, by its place on the board: 0 to 1."""
    box = page.locator("#board").bounding_box()
    assert box is not None
    return box["x"] + x * box["width"], box["y"] + y * box["height"]


def send_input(page: Page, method: str, *events: dict[str, Any]) -> None:
    """Have the browser itself take events of a device."""
    session = page.context.new_cdp_session(page)
    for event in events:
        session.send(method, event)
    session.detach()


def test_what_one_draws_the_other_sees(pages: tuple[Page, Page]) -> None:
    """By mouse: while it is drawn, when it is done, in the list, and on a page that comes late."""
    ada, ben = pages
    for page, you in ((ada, "Ada"), (ben, "Ben")):
        names = [f"{name} (you)" if name == you else name for name in ("Ada", "Ben")]
        expect(people(page)).to_have_text(names)
    ada.get_by_role("radio", name="violet").check(force=True)
    ada.get_by_label("Width").fill("12")
    ada.mouse.move(*place(ada, 0.2, 0.2))
    ada.mouse.down()
    ada.mouse.move(*place(ada, 0.5, 0.6), steps=5)
    expect(ben.locator("#ghosts path.ink-violet")).to_have_attribute("d", re.compile("M"))
    expect(ben.locator("#cursors .cursor")).to_have_text("Ada")
    assert lines(ben).count() == 0
    ada.mouse.move(*place(ada, 0.8, 0.2), steps=5)
    ada.mouse.up()
    for page in pages:
        expect(lines(page)).to_have_count(1)
        expect(lines(page)).to_have_attribute("stroke-width", "12")
        expect(lines(page)).to_have_class("line ink-violet")
        expect(page.locator("#drawn li")).to_have_text(["violet, by Ada"])
    assert lines(ada).get_attribute("d") == lines(ben).get_attribute("d")
    ben.reload()
    expect(lines(ben)).to_have_count(1)
    expect(own_name(ben)).to_have_text("Ben (you)")
    assert ben.evaluate("document.documentElement.scrollWidth") == 390
    ada.get_by_role("button", name="Undo").click()
    for page in pages:
        expect(lines(page)).to_have_count(0)
        expect(page.get_by_text("Draw something.")).to_be_visible()
    ada.get_by_role("radio", name="black or white").check(force=True)


def test_the_keyboard_draws(pages: tuple[Page, Page]) -> None:
    """Arrows and Space draw a line, Escape gives one up, Ctrl+Z takes one back."""
    ada, ben = pages
    board = ada.get_by_role("application", name="Drawing board")
    expect(board).to_have_accessible_description(re.compile("arrows move the pen"))
    board.focus()
    ada.keyboard.press("ArrowUp")
    expect(ada.locator("#pen")).to_be_visible()
    for key in ("Space", "Shift+ArrowRight", "Shift+ArrowRight", "ArrowDown", "Space"):
        ada.keyboard.press(key)
    expect(lines(ben)).to_have_count(1)
    assert lines(ben).get_attribute("d") == "M600 490L686 490Q700 490 700 495L700 500"
    expect(ada.locator("#announcement")).to_have_text("You drew a line in black.")
    expect(ben.locator("#announcement")).to_have_text("Ada drew a line in black.")
    for key in ("Space", "ArrowLeft", "Escape"):
        ada.keyboard.press(key)
    expect(ada.locator("#own")).to_have_attribute("d", "")
    ada.keyboard.press("Control+z")
    expect(lines(ben)).to_have_count(0)
    expect(ada.locator("#announcement")).to_have_text("Your last line is taken back.")


def test_fingers_and_pens_draw(pages: tuple[Page, Page]) -> None:
    """A finger on the phone and a stylus on the desk; the page does not scroll away under them."""
    ada, ben = pages
    path = [place(ben, 0.3, 0.3 + 0.1 * step) for step in range(4)]
    touches: list[dict[str, Any]] = [
        {"type": "touchMove" if step else "touchStart", "touchPoints": [{"x": x, "y": y}]}
        for step, (x, y) in enumerate(path)
    ]
    end: dict[str, Any] = {"type": "touchEnd", "touchPoints": []}
    send_input(ben, "Input.dispatchTouchEvent", *touches, end)
    expect(lines(ada)).to_have_count(1)
    assert ben.evaluate("scrollY") == 0
    stylus = {"button": "left", "buttons": 1, "clickCount": 1, "pointerType": "pen"}
    strokes: list[dict[str, Any]] = [
        {"type": kind, "x": x, "y": y, **stylus}
        for kind, (x, y) in (
            ("mousePressed", place(ada, 0.5, 0.5)),
            ("mouseMoved", place(ada, 0.6, 0.7)),
            ("mouseReleased", place(ada, 0.6, 0.7)),
        )
    ]
    send_input(ada, "Input.dispatchMouseEvent", *strokes)
    expect(lines(ben)).to_have_count(2)
    expect(ben.locator("#drawn li")).to_have_text(["black, by Ada", "black, by Ben"])


def test_the_board_is_cleared_by_vote_or_by_a_user(
    site: Board, pages: tuple[Page, Page], chromium: Browser
) -> None:
    """Two visitors have to agree; who is signed in has not, and saves the board before."""
    ada, ben = pages
    ada.mouse.click(*place(ada, 0.5, 0.5))
    expect(lines(ben)).to_have_count(1)
    ada.get_by_role("button", name="Vote to clear").click()
    ben.get_by_role("button", name="Vote to clear (1 of 2)").click()
    for page in pages:
        expect(lines(page)).to_have_count(0)
    ada.mouse.click(*place(ada, 0.5, 0.5))
    with chromium.new_context() as context:
        site.as_cleo(context)
        cleo = site.enter(context)
        expect(people(ada)).to_have_text(["Ada (you)", "Ben", "cleo"])
        expect(lines(cleo)).to_have_count(1)
        with cleo.expect_download() as saved:
            cleo.get_by_role("button", name="Save").click()
        assert saved.value.suggested_filename == "whiteboard.svg"
        assert "<title>ink, by Ada</title>" in Path(saved.value.path()).read_text()
        cleo.get_by_role("button", name="Clear").click()
        expect(lines(ada)).to_have_count(0)
        expect(ada.locator("#announcement")).to_have_text("cleo cleared the board.")
        cleo.evaluate("thywill.close()")
        expect(cleo.get_by_role("link", name="Load the page again")).to_be_visible()
        expect(people(ada)).to_have_text(["Ada (you)", "Ben"])


def test_the_session_id_is_in_no_message_and_no_log(site: Board, chromium: Browser) -> None:
    """The user is known by the cookie; the key is in no body, no frame and no line of the log."""
    seen: list[str | bytes] = []
    answers: list[Any] = []

    def follow(websocket: Any) -> None:
        websocket.on("framesent", lambda frame: seen.append(frame))
        websocket.on("framereceived", lambda frame: seen.append(frame))

    with chromium.new_context() as context:
        site.as_cleo(context)
        context.on("request", lambda request: seen.append(request.url + (request.post_data or "")))
        context.on("response", lambda response: answers.append(response))
        context.on("page", lambda page: page.on("websocket", follow))
        page = site.enter(context)
        expect(own_name(page)).to_have_text("cleo (you)")
        page.mouse.click(*place(page, 0.5, 0.5))
        expect(lines(page)).to_have_count(1)
        page.get_by_role("button", name="Clear").click()
        expect(lines(page)).to_have_count(0)
        seen += [answer.body() for answer in answers if answer.status == 200]
        page.evaluate("thywill.close()")
        expect(page.get_by_role("link", name="Load the page again")).to_be_visible()
    assert len([each for each in seen if b"cleo" in as_bytes(each)]) >= 3
    assert len([each for each in seen if isinstance(each, bytes) or "MESSAGE" in each]) >= 3
    log = site.process.log
    assert "POST /thywill/send/" in log
    assert " DEBUG " in log
    key = site.session.encode()
    assert not [each for each in [*seen, log] if key in as_bytes(each)]


def as_bytes(text: str | bytes) -> bytes:
    """A text or a frame, to be searched."""
    return text if isinstance(text, bytes) else text.encode()


def test_a_page_that_was_away_has_it_all_again(pages: tuple[Page, Page]) -> None:
    """After an interruption a page asks for the board, and enters anew where it was let out."""
    ada, ben = pages
    ben.evaluate("thywill.close()")
    expect(people(ada)).to_have_text(["Ada (you)"])
    ada.mouse.click(*place(ada, 0.4, 0.4))
    expect(lines(ada)).to_have_count(1)
    assert lines(ben).count() == 0
    ben.evaluate("thywill.open()")
    expect(lines(ben)).to_have_count(1)
    expect(people(ada)).to_have_text(["Ada (you)", "Ben"])
    ben.touchscreen.tap(*place(ben, 0.6, 0.6))
    expect(lines(ada)).to_have_count(2)


def test_slow_commands_and_deferreds_stop_no_other(site: Board, chromium: Browser) -> None:
    """While one blocks a thread, the same page's next commands are answered: one lets it go on."""
    with chromium.new_context() as context:
        page = context.new_page()
        page.goto(f"{site.process.url}/thywill/init/switchboard/")
        heard = page.evaluate(ONE_SLOW)
        assert heard[:3] == [42, "fired", ["later", ""]]
        # Two threads answer: the one that was let go, and the one that did it.
        assert heard[3:] in ([None, "released"], ["released", None])


def test_the_page_of_the_how_to(site: Board, chromium: Browser) -> None:
    """It greets, asks for the votes, counts one, and says what goes wrong."""
    with chromium.new_context() as context:
        page = context.new_page()
        page.goto(f"{site.process.url}/thywill/init/tally/")
        expect(page.get_by_text("tea 0, coffee 0")).to_be_visible()
        expect(page.get_by_text("Hello stranger!")).to_be_visible()
        page.get_by_role("button", name="coffee").click()
        expect(page.get_by_text("tea 0, coffee 1")).to_be_visible()
        page.evaluate("thywill.commands.send({ vote: 'beer' })")
        expect(page.get_by_text("expected one of")).to_be_visible()
