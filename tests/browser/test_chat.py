"""The chat in Chromium: one room, shared by a browser on WebSocket and one on long polling.

The five exercises that the tutorial of 2013 left to its readers are five tests, by name.
"""

from __future__ import annotations

import re
import signal
import statistics
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, expect

from tests.browser.test_reconnect import TwoProcesses
from tests.support.site_process import ROOT, SiteProcess, manage, migrate, write_settings
from thywill_apps.chat.bounds import Bounds

pytestmark = [pytest.mark.browser, pytest.mark.functional]

PAGE = "/thywill/init/chat/"
ROOMS = (
    "Burst",
    "Closing-longpoll",
    "Closing-websocket",
    "Delays",
    "Garden",
    "Kitchen",
    "Reading",
    "Shared",
)
PREPARE = f"""
from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import User
from django.test import Client
from thywill_apps.chat.models import Room
Room.objects.bulk_create(Room(name=name, slug=name.lower()) for name in {ROOMS})
for name in ("ann", "ben"):
    user = User.objects.create(username=name, password=make_password("pass of " + name))
    browser = Client()
    browser.force_login(user)
    print(name, browser.session.session_key)
"""
SMALL = """
CHAT = {"messages_in_page": 30, "messages_at_start": 20, "messages_missed": 25, "say_rate": "500/s"}
"""

SAY_ALL = """(texts) => {
    const field = document.getElementById("message");
    for (const text of texts) {
        field.value = text;
        field.form.requestSubmit();
    }
}"""

# The milliseconds at which messages are shown; it is one machine, and one clock.
NOTE_ARRIVALS = """() => {
    globalThis.arrivals = [];
    globalThis.arrived = () => {};
    new MutationObserver(() => {
        arrivals.push(Date.now());
        arrived();
    }).observe(document.getElementById("messages"), { childList: true });
}"""
ARRIVAL = """async (count) => {
    while (arrivals.length < count) await new Promise((resolve) => (globalThis.arrived = resolve));
    return arrivals[count - 1];
}"""


@dataclass
class Chat:
    """A site with the chat.

    Attributes:
        url: of the site.
        sessions: session keys by name of user.
        home: the folder that it writes to.
        stomp_port: of its broker.
    """

    url: str
    sessions: dict[str, str]
    home: Path = Path()
    stomp_port: int = 0

    def enter(
        self, context: BrowserContext, room: str, transport: str, name: str | None = None
    ) -> Page:
        """Open a room in a browser, signed in as somebody; or as whoever the browser is."""
        if name is not None:
            cookie = {"name": "sessionid", "value": self.sessions[name], "url": self.url}
            context.add_cookies([cookie])  # type: ignore[list-item]
        page = context.new_page()
        page.goto(f"{self.url}{PAGE}?transport={transport}&room={room}")
        wait_until_live(page)
        return page


def prepare(home: Path, **more: str) -> dict[str, str]:
    """Make a database with two people and some rooms; gives a session of each."""
    migrate(home, **more)
    done = manage(home, "shell", "--verbosity", "0", "-c", PREPARE, **more)
    assert done.returncode == 0, done.stderr
    return dict(line.split() for line in done.stdout.splitlines())


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chat]:
    """One site, as `./run` starts it."""
    home = tmp_path_factory.mktemp("site")
    sessions = prepare(home)
    with SiteProcess(home, "--no-reload") as process:
        yield Chat(process.url, sessions, home, process.stomp_port)


@pytest.fixture
def contexts(chromium: Browser) -> Iterator[list[BrowserContext]]:
    """Two browsers, as far as cookies go; neither may complain of what the page may not do."""
    complaints: list[str] = []

    def listen(message: ConsoleMessage) -> None:
        if "Content Security Policy" in message.text:
            complaints.append(message.text)

    with chromium.new_context() as one, chromium.new_context() as other:
        for context in (one, other):
            context.on("console", listen)
            context.on("weberror", lambda error: complaints.append(str(error.error)))
        yield [one, other]
    assert not complaints


def sign_in(context: BrowserContext, url: str, name: str, room: str, transport: str) -> Page:
    """Open a room, follow its link to the sign-in, and come back to it."""
    page = context.new_page()
    page.goto(f"{url}{PAGE}?transport={transport}&room={room}")
    page.locator("#invitation").get_by_role("link", name="Sign in").click()
    page.get_by_label("Username").fill(name)
    page.get_by_label("Password").fill(f"pass of {name}")
    page.get_by_role("button", name="Sign in").click()
    wait_until_live(page)
    return page


def wait_until_live(page: Page) -> None:
    """Until the page says that it is connected, and knows who is in the room."""
    expect(page.locator("#state")).to_have_text(re.compile("connected"))
    expect(page.locator("#people li").first).to_be_visible()


def say(page: Page, text: str) -> None:
    """Write a message and press Enter."""
    page.get_by_label("Message", exact=True).fill(text)
    page.keyboard.press("Enter")


def expect_texts(page: Page, expected: list[str]) -> None:
    """Wait until the log shows exactly this."""
    expect(page.locator(".message .text")).to_have_text(expected)


def test_one_room_on_two_transports(site: Chat, contexts: list[BrowserContext]) -> None:
    """What one says, both see, as text; and who is here, who types, and whose a message is."""
    ann = sign_in(contexts[0], site.url, "ann", "shared", "websocket")
    ben = sign_in(contexts[1], site.url, "ben", "shared", "longpoll")
    expect(ann.locator("#transport")).to_have_text("WebSocket")
    expect(ben.locator("#transport")).to_have_text("long polling")
    for page, own in ((ann, "ann"), (ben, "ben")):
        expect(page.locator("#people li")).to_have_text(
            [f"{name} (you)" if name == own else name for name in ("ann", "ben")]
        )
    ann.get_by_label("Message", exact=True).press_sequentially("<b>héllo")
    expect(ben.locator("#typing")).to_have_text("ann is typing")
    ann.keyboard.press("Shift+Enter")
    ann.keyboard.type("你好</b>")
    ann.keyboard.press("Enter")
    expect(ann.get_by_label("Message", exact=True)).to_be_focused()
    for page in (ben, ann):
        expect_texts(page, ["<b>héllo\n你好</b>"])
        assert page.locator(".message .text b").count() == 0
    expect(ben.locator("#typing")).to_have_text("")
    say(ben, "and back")
    for page, own in ((ann, "<b>héllo\n你好</b>"), (ben, "and back")):
        expect_texts(page, ["<b>héllo\n你好</b>", "and back"])
        expect(page.locator(".message[data-own] .text")).to_have_text([own])
    ben.close()
    expect(ann.locator("#people li")).to_have_text(["ann (you)"])


def test_rooms_are_separate(site: Chat, contexts: list[BrowserContext]) -> None:
    """Exercise 1: what is said in one room is seen in that one, and in no other."""
    ann = site.enter(contexts[0], "garden", "websocket", "ann")
    ben = site.enter(contexts[1], "kitchen", "longpoll", "ben")
    say(ann, "roses")
    say(ben, "soup")
    expect_texts(ann, ["roses"])
    expect_texts(ben, ["soup"])
    ann.get_by_role("link", name="Kitchen").click()
    expect(ann.get_by_role("heading", level=1)).to_have_text("Kitchen")
    expect_texts(ann, ["soup"])
    say(ann, "more soup")
    expect_texts(ben, ["soup", "more soup"])
    ann.go_back()
    expect(ann.get_by_role("heading", level=1)).to_have_text("Garden")
    expect_texts(ann, ["roses"])


def test_no_polling_delay(site: Chat, contexts: list[BrowserContext]) -> None:
    """Exercise 2: by long polling a message comes as soon as by WebSocket, and only then."""
    ann = site.enter(contexts[0], "delays", "websocket", "ann")
    ben = site.enter(contexts[1], "delays", "longpoll", "ben")
    polls: list[str] = []
    ben.on("request", lambda request: polls.append(request.url))
    for page in (ann, ben):
        page.evaluate(NOTE_ARRIVALS)
    count, later = 20, []
    for number in range(1, count + 1):
        ann.evaluate(SAY_ALL, [str(number)])
        by_websocket, by_longpoll = (page.evaluate(ARRIVAL, number) for page in (ann, ben))
        later.append(by_longpoll - by_websocket)
    expect_texts(ben, [str(number) for number in range(1, count + 1)])
    # A page that asks once a second would see half of them more than half a second later.
    assert statistics.median(later) < 250, later
    # Each message ends one poll, and its confirmation may be a request of its own. (Two more come
    # for who types: one begins and one ends.) A page that asks again and again would ask more.
    comet = [url for url in polls if "/orbited/" in url]
    assert len(comet) <= 4 * count + 4, len(comet)


@pytest.mark.parametrize("transport", ["websocket", "longpoll"])
def test_history_after_a_closed_window(
    site: Chat, contexts: list[BrowserContext], transport: str
) -> None:
    """Exercise 3: a window that was closed and is opened again shows what was said meanwhile."""
    room = f"closing-{transport}"
    ann = site.enter(contexts[0], room, "websocket", "ann")
    ben = site.enter(contexts[1], room, transport, "ben")
    say(ann, "before")
    expect_texts(ben, ["before"])
    ben.close()
    for text in ("while", "you were", "away"):
        say(ann, text)
    again = site.enter(contexts[1], room, transport)
    expect_texts(again, ["before", "while", "you were", "away"])
    expect(again.locator("#to-end")).to_be_hidden()


def test_history_after_a_gap(site: Chat, contexts: list[BrowserContext]) -> None:
    """A page that was offline gets what it has missed, and says meanwhile that it is."""
    ann = site.enter(contexts[0], "reading", "websocket", "ann")
    visitor = site.enter(contexts[1], "reading", "longpoll")
    say(ann, "before")
    expect_texts(visitor, ["before"])
    contexts[1].set_offline(True)
    visitor.evaluate("() => thywill.push.stomp.reset()")  # a real cut ends what is open
    expect(visitor.locator("#state-text")).to_have_text(re.compile("reconnecting|no connection"))
    say(ann, "meanwhile")
    expect_texts(ann, ["before", "meanwhile"])
    contexts[1].set_offline(False)
    expect_texts(visitor, ["before", "meanwhile"])
    expect(visitor.locator("#state-text")).to_have_text("connected")


def test_persistence_with_a_fixed_number_in_memory(
    tmp_path: Path, contexts: list[BrowserContext]
) -> None:
    """Exercise 4: all messages outlive a killed server; of them, so many are held, and no more."""
    settings = write_settings(tmp_path, SMALL)
    sessions = prepare(tmp_path, **settings)
    said = [f"message {number}" for number in range(70)]
    with SiteProcess(tmp_path, "--no-reload", **settings) as process:
        site = Chat(process.url, sessions)
        ann = site.enter(contexts[0], "garden", "websocket", "ann")
        visitor = site.enter(contexts[1], "garden", "longpoll")
        ann.evaluate(SAY_ALL, said)
        for page in (ann, visitor):
            expect_texts(page, said[-30:])
        process.stop(signal.SIGKILL)
    look = (
        "from thywill_apps.chat.models import Message, Room\n"
        "from thywill_server.application import history\n"
        'room = Room.objects.get(slug="garden")\n'
        'print(Message.objects.count(), len(history(f"chat:{room.pk}")))'
    )
    kept = manage(tmp_path, "shell", "--verbosity", "0", "-c", look, **settings)
    assert kept.stdout.split() == ["70", "25"], kept.stderr
    with SiteProcess(tmp_path, "--no-reload", **settings) as process:
        again = Chat(process.url, sessions).enter(contexts[1], "garden", "longpoll")
        expect_texts(again, said[-20:])
        again.get_by_role("button", name="Earlier messages").click()
        expect_texts(again, said[-30:])
        expect(again.get_by_role("button", name="Earlier messages")).to_be_hidden()


def test_a_burst_on_one_transport_reaches_the_other_complete_and_in_order(
    site: Chat, contexts: list[BrowserContext]
) -> None:
    """Exercise 5: two bursts at once, faster than the site takes them: none is lost or moved."""
    ann = site.enter(contexts[0], "burst", "websocket", "ann")
    ben = site.enter(contexts[1], "burst", "longpoll", "ben")
    bursts = {
        name: [f"{name} {number}" for number in range(count)]
        for name, count in (("ann", 70), ("ben", 30))
    }
    ann.evaluate(SAY_ALL, bursts["ann"])
    ben.evaluate(SAY_ALL, bursts["ben"])
    shown = []
    for page in (ben, ann):
        expect(page.locator(".message")).to_have_count(100)
        shown.append(page.locator(".message .text").all_text_contents())
    assert shown[0] == shown[1]
    for name, burst in bursts.items():
        assert [text for text in shown[0] if text.startswith(name)] == burst
    expect(ann.locator("#unsent li")).to_have_count(0)


def test_in_two_processes(tmp_path: Path, contexts: list[BrowserContext]) -> None:
    """Django and Orbited apart: the same room, with Orbited killed and started in between."""
    both = TwoProcesses(tmp_path)
    site = Chat(f"http://127.0.0.1:{both.port}", prepare(tmp_path, **both.environment))
    both.start_orbited()
    both.start_django()
    try:
        ann = site.enter(contexts[0], "garden", "websocket", "ann")
        ben = site.enter(contexts[1], "garden", "longpoll", "ben")
        say(ann, "one")
        expect_texts(ben, ["one"])
        both.kill(both.orbited)
        say(ben, "two")
        both.start_orbited()
        for page in (ann, ben):
            expect_texts(page, ["one", "two"])
    finally:
        both.end()


def test_what_is_new_is_marked(site: Chat, contexts: list[BrowserContext]) -> None:
    """Who reads further up stays there, sees how much is new, and gets to it with one key."""
    ann = site.enter(contexts[0], "lobby", "websocket", "ann")
    ann.evaluate(SAY_ALL, [f"line {number}" for number in range(40)])
    visitor = site.enter(contexts[1], "lobby", "longpoll")
    expect(visitor.locator(".message")).to_have_count(40)
    log = visitor.get_by_role("log", name="Lobby")
    log.focus()
    log.press("Home")
    expect(visitor.locator(".message").first).to_be_in_viewport()
    say(ann, "news")
    more = visitor.get_by_role("button", name="1 new")
    expect(more).to_be_visible()
    expect(visitor).to_have_title("(1) Lobby")
    expect(visitor.locator(".message").first).to_be_in_viewport()
    expect(visitor.locator(".mark + .message .text")).to_have_text("news")
    more.press("Enter")
    expect(visitor.locator(".message").last).to_be_in_viewport()
    expect(more).to_be_hidden()
    expect(log).to_be_focused()
    expect(visitor).to_have_title("Lobby")


def test_a_room_is_made_on_the_page(site: Chat, contexts: list[BrowserContext]) -> None:
    """With the keyboard alone, mistakes included; the others have it in their list."""
    ann = site.enter(contexts[0], "lobby", "websocket", "ann")
    visitor = site.enter(contexts[1], "lobby", "longpoll")
    button = ann.get_by_role("button", name="New room")
    button.press("Enter")
    dialog = ann.get_by_role("dialog", name="New room")
    expect(dialog.get_by_label("Name")).to_be_focused()
    ann.keyboard.press("Escape")
    expect(button).to_be_focused()
    button.press("Enter")
    ann.keyboard.type("Lobby")
    ann.keyboard.press("Enter")
    expect(dialog.get_by_role("alert")).to_have_text('There is a room "Lobby" already.')
    dialog.get_by_label("Name").fill("Library")
    dialog.get_by_label("Topic").fill("Whisper, please")
    ann.keyboard.press("Enter")
    expect(ann.get_by_role("heading", level=1)).to_have_text("Library")
    expect(ann.locator("#topic")).to_have_text("Whisper, please")
    visitor.get_by_role("link", name="Library").click()
    say(ann, "hush")
    expect_texts(visitor, ["hush"])
    # A name that comes earlier takes nobody's place: who names no room is in the oldest one.
    visitor.goto(site.url + PAGE)
    expect(visitor.get_by_role("heading", level=1)).to_have_text("Lobby")


def test_a_narrow_page(site: Chat, chromium: Browser) -> None:
    """On a phone nothing is wider than the page, and rooms unfold to be chosen from."""
    phone: dict[str, Any] = {"viewport": {"width": 360, "height": 640}, "has_touch": True}
    with chromium.new_context(**phone, is_mobile=True) as context:
        page = site.enter(context, "garden", "longpoll", "ben")
        say(page, "x" * 300)
        expect(page.locator(".message").last).to_be_in_viewport()
        assert page.evaluate("document.documentElement.scrollWidth") == 360
        expect(page.get_by_role("link", name="Kitchen")).to_be_hidden()
        page.locator("summary").tap()
        page.get_by_role("link", name="Kitchen").tap()
        expect(page.get_by_role("heading", level=1)).to_have_text("Kitchen")
        expect(page.get_by_role("link", name="Garden")).to_be_hidden()


def test_the_how_to_says_something_from_elsewhere(
    site: Chat, tmp_path: Path, contexts: list[BrowserContext]
) -> None:
    """The how-to's settings are the defaults, and its program is heard on the open page."""
    text = (ROOT / "documentation/how-to/chat.md").read_text(encoding="utf-8")
    program, bounds = re.findall(r"^```python\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    named: dict[str, Any] = {}
    exec(bounds, named)
    assert named["CHAT"] == asdict(Bounds())
    visitor = site.enter(contexts[1], "lobby", "longpoll")
    port = f'THYWILL["push"]["stomp_port"] = {site.stomp_port}'
    beside = write_settings(tmp_path, f"{bounds}\n{port}")
    done = manage(site.home, "shell", "--verbosity", "0", "-c", program, **beside)
    assert done.returncode == 0, done.stderr
    expect(visitor.locator(".message .text").last).to_have_text("Dinner is ready.")


def test_a_room_that_closes_says_so(
    site: Chat, tmp_path: Path, contexts: list[BrowserContext]
) -> None:
    """Who is put out reads why, and gets on by a link; the room is not in the list then."""
    visitor = site.enter(contexts[1], "kitchen", "longpoll")
    close = (
        "from thywill_apps.chat.models import Room\n"
        'room = Room.objects.get(slug="kitchen")\n'
        'room.reading = "members"\n'
        "room.save()"
    )
    port = f'THYWILL["push"]["stomp_port"] = {site.stomp_port}'
    done = manage(
        site.home, "shell", "--verbosity", "0", "-c", close, **write_settings(tmp_path, port)
    )
    assert done.returncode == 0, done.stderr
    expect(visitor.locator("#state-text")).to_have_text("ended")
    # Whichever comes first: what has become of the room, or of the connection.
    why = r"^(The room Kitchen is gone, or|the site has ended this).*\. Load the page again$"
    expect(visitor.get_by_role("alert")).to_have_text(re.compile(why))
    visitor.get_by_role("link", name="Load the page again").click()
    expect(visitor.get_by_role("alert")).to_contain_text("not open to you")
    expect(visitor.get_by_role("link", name="Garden")).to_be_visible()
    expect(visitor.get_by_role("link", name="Kitchen")).to_have_count(0)
