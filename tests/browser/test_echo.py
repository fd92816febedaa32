"""The main job, end to end: from a real browser through Django, MorbidQ and Orbited and back."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Request, expect

from tests.support.site_process import SiteProcess

pytestmark = [pytest.mark.browser, pytest.mark.functional]

TEXT = "héllo <b>&\"' 你好"
TRANSPORTS = {
    "websocket": "WebSocket",
    "xhrstream": "XHR streaming",
    "longpoll": "long polling",
}
BURST = 200


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SiteProcess]:
    """One site, as `./run` starts it, with the testbed beside the echo."""
    settings = {"DJANGO_SETTINGS_MODULE": "tests.support.site_settings"}
    home = tmp_path_factory.mktemp("site")
    with SiteProcess(home, "--no-reload", **settings) as process:
        yield process


@pytest.fixture
def second_context(chromium: Browser) -> Iterator[BrowserContext]:
    """Another browser, as far as cookies go."""
    with chromium.new_context() as context:
        yield context


def open_echo(page: Page, site: SiteProcess, transport: str = "", name: str = "") -> None:
    """Load an application's page and wait until its state is live."""
    path = f"/thywill/init/{name}/" if name else "/thywill/init/"
    page.goto(f"{site.url}{path}?transport={transport}")
    if not name:
        expect(page.locator("#state")).to_have_attribute("data-state", "live")


def say(page: Page, text: str) -> None:
    """Type a text and press Send."""
    page.get_by_label("Message", exact=True).fill(text)
    page.get_by_role("button", name="Send", exact=True).click()


def echoes(page: Page) -> list[str]:
    """The texts that came back, the oldest first."""
    rows = page.locator("#trips .trip[data-status=returned] .back")
    return list(reversed(rows.all_text_contents()))


def comet_counters(site: SiteProcess, page: Page) -> dict[str, Any]:
    """What Orbited has counted in this site."""
    health = page.request.get(f"{site.url}/thywill/health/").json()
    counters: dict[str, Any] = health["components"]["push"]["comet"]["counters"]
    return counters


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_echo(page: Page, site: SiteProcess, transport: str) -> None:
    """What is typed comes back over each transport, as text, by way of every part."""
    open_echo(page, site, transport)
    before = comet_counters(site, page)
    said = len(site.log)
    posts: list[Request] = []
    page.on("request", lambda sent: posts.append(sent) if "/thywill/send/" in sent.url else None)
    say(page, TEXT)
    expect(page.locator("#count")).to_have_text("1 of 1")
    assert echoes(page) == [TEXT]
    assert page.locator("#trips .sent").all_text_contents() == [TEXT]
    assert page.locator("#trips b").count() == 0
    expect(page.locator("#transport")).to_have_text(TRANSPORTS[transport])
    expect(page.locator("#median")).to_have_text(re.compile(r"^\d+(\.\d)? ms$"))
    # It was not a short cut: a POST was handled, and the answer left through Orbited's session,
    # in a MESSAGE of the broker's to the destination of this page. (The log has it behind both.)
    assert len(posts) == 1
    site.wait_for_log("POST /thywill/send/ 200", said)
    assert comet_counters(site, page)["packets_sent"] > before["packets_sent"]
    seen = page.evaluate(
        """async (text) => {
            const { stomp } = thywill.push;
            const frame = new Promise((resolve) => {
                const deliver = stomp.onmessageframe;
                stomp.onmessageframe = (message) => { resolve(message); deliver(message); };
            });
            await thywill.send.fn(text);
            const { headers, body } = await frame;
            return { version: stomp.version, transport: stomp.socket.transport, headers, body };
        }""",
        TEXT,
    )
    assert seen["body"] == TEXT
    assert seen["version"] == "1.2"
    assert seen["transport"] == transport
    uuid = page.evaluate("thywill.config.uuid")
    assert seen["headers"]["destination"] == f"/topic/thywill.client.{uuid}"
    assert seen["headers"]["content-type"] == "text/plain; charset=utf-8"


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_burst(page: Page, site: SiteProcess, transport: str) -> None:
    """200 messages sent in a burst are handled and come back, each once and in order."""
    open_echo(page, site, transport)
    received, replies = page.evaluate(
        """async (count) => {
            const received = [];
            const all = new Promise((resolve) => {
                thywill.push.onReceipt = (message) => {
                    received.push(message);
                    if (received.length === count) resolve();
                };
            });
            const numbers = Array.from({ length: count }, (_, number) => `message ${number}`);
            const replies = await Promise.all(numbers.map((text) => thywill.send.fn(text)));
            await all;
            return [received, replies.length];
        }""",
        BURST,
    )
    assert received == [f"message {number}" for number in range(BURST)]
    assert replies == BURST


def test_two_browsers(page: Page, second_context: BrowserContext, site: SiteProcess) -> None:
    """Two browsers that send at the same time see their own echo and nothing else."""
    other = second_context.new_page()
    for each in (page, other):
        open_echo(each, site)
    say(page, "from the first")
    say(other, "from the second")
    say(page, "and again")
    expect(page.locator("#count")).to_have_text("2 of 2")
    expect(other.locator("#count")).to_have_text("1 of 1")
    assert echoes(page) == ["from the first", "and again"]
    assert echoes(other) == ["from the second"]


def test_two_tabs(page: Page, site: SiteProcess) -> None:
    """Two tabs of one session have a uuid each, and see their own echo only."""
    tab = page.context.new_page()
    open_echo(page, site)
    open_echo(tab, site)
    assert page.evaluate("thywill.config.uuid") != tab.evaluate("thywill.config.uuid")
    say(page, "left")
    say(tab, "right")
    for each, text in ((page, "left"), (tab, "right")):
        expect(each.locator("#count")).to_have_text("1 of 1")
        assert echoes(each) == [text]


SEND_AND_TELL = """async ([command, message]) => {
    try {
        const args = command === null ? [message] : [command, message];
        return { reply: await thywill.send.fn(...args) };
    } catch ({ code, status, message }) {
        return { code, status, message };
    }
}"""


def test_failing_application(page: Page, site: SiteProcess) -> None:
    """An exception is an error with a code, a traceback in the log, and no end of anything."""
    open_echo(page, site, name="testbed")
    states = page.evaluate(
        """async () => {
            await thywill.application.ready();
            globalThis.states = [];
            thywill.on("state", (state) => states.push(state));
            globalThis.received = [];
            thywill.push.onReceipt = (message) => received.push(message);
            return thywill.state;
        }"""
    )
    assert states == "live"
    refusal = page.evaluate(SEND_AND_TELL, ["fail", {}])
    assert refusal["code"] == "application-failed"
    assert refusal["status"] == 500
    assert "purpose" not in refusal["message"]
    assert "Traceback (most recent call last)" in site.log
    assert "ZeroDivisionError: the testbed fails on purpose" in site.log
    assert page.evaluate(SEND_AND_TELL, ["refuse", {}]) == {
        "code": "too-late",
        "status": 409,
        "message": "It is over.",
    }
    assert page.evaluate(SEND_AND_TELL, [None, TEXT]) == {"reply": TEXT}
    received = page.evaluate(
        """async () => {
            while (received.length === 0) await new Promise((done) => setTimeout(done, 10));
            return received;
        }"""
    )
    assert received == [TEXT]
    assert page.evaluate("states") == []


def test_policy_allows_what_the_page_does(page: Page, site: SiteProcess) -> None:
    """A browser that obeys the policy has nothing to complain about; inline code does not run."""
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    open_echo(page, site)
    say(page, "quiet")
    expect(page.locator("#count")).to_have_text("1 of 1")
    assert complaints == []
    with page.expect_console_message(lambda message: "Content Security Policy" in message.text):
        page.evaluate(
            """() => {
                const script = document.createElement("script");
                script.textContent = "globalThis.wasRun = true";
                document.body.append(script);
            }"""
        )
    assert page.evaluate("globalThis.wasRun") is None


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_from_the_index_to_the_other_form(page: Page, site: SiteProcess, scheme: Any) -> None:
    """The root lists the applications; by keyboard to the echo that is an App, and a round trip."""
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(f"{site.url}/")
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    page.set_viewport_size({"width": 320, "height": 640})
    page.evaluate("document.documentElement.style.fontSize = '200%'")
    assert page.evaluate("document.documentElement.scrollWidth") == 320
    for name in ("Admin", "Monitor", "Health"):
        address = page.get_by_role("link", name=name).get_attribute("href")
        assert page.request.get(f"{site.url}{address}").ok
    cards = page.get_by_role("listitem").filter(has=page.get_by_role("heading", level=2))
    assert "Chat" in cards.get_by_role("link").all_text_contents()
    echo = page.get_by_role("link", name="Echo", exact=True)
    while not echo.evaluate("link => link === document.activeElement"):
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement !== document.body")  # the end of the page
    page.keyboard.press("Enter")
    page.wait_for_url(f"{site.url}/thywill/init/echo/")
    say(page, TEXT)
    expect(page.locator("#count")).to_have_text("1 of 1")
    assert echoes(page) == [TEXT]
    expect(page.locator("#state")).to_have_text("Connection: connected")
    assert complaints == []


def test_keyboard_alone(page: Page, site: SiteProcess) -> None:
    """The field has the focus from the start: type, Enter, and the focus is still there."""
    open_echo(page, site)
    page.keyboard.type("without a mouse")
    page.keyboard.press("Enter")
    expect(page.locator("#count")).to_have_text("1 of 1")
    expect(page.get_by_label("Message", exact=True)).to_be_focused()
    expect(page.locator("#announcement")).to_contain_text("without a mouse")


def test_log_out_is_told(page: Page, site: SiteProcess) -> None:
    """A page whose session has ended is told with a code that it must be loaded again."""
    open_echo(page, site)
    page.context.clear_cookies(name="sessionid")
    say(page, "anybody there?")
    failed = page.locator("#trips .trip[data-status=failed] .back")
    expect(failed).to_contain_text("unknown-client")


def test_a_log_in_elsewhere_does_not_end_a_page(page: Page, site: SiteProcess) -> None:
    """A log-in makes the page's CSRF token stale; it gets another one and nobody notices."""
    open_echo(page, site)
    page.context.clear_cookies(name="csrftoken")
    say(page, TEXT)
    expect(page.locator("#trips .back").first).to_have_text(TEXT)
    expect(page.locator("#problem")).to_be_hidden()


def test_a_page_whose_session_has_ended_says_what_to_do(page: Page, site: SiteProcess) -> None:
    """After a log-out a message is refused, in words that tell to load the page again."""
    open_echo(page, site)
    page.context.clear_cookies()
    say(page, TEXT)
    expect(page.locator("#trips .back").first).to_contain_text("load it again")
    expect(page.locator("#trips .trip").first).to_have_attribute("data-status", "failed")


@pytest.mark.parametrize("text_size", ["100%", "200%"])
def test_the_page_fits_a_narrow_window(page: Page, site: SiteProcess, text_size: str) -> None:
    """At 320 pixels, with text twice as large too, nothing has to be scrolled sideways to."""
    page.set_viewport_size({"width": 320, "height": 640})
    open_echo(page, site)
    page.evaluate("size => { document.documentElement.style.fontSize = size; }", text_size)
    say(page, "x" * 200)
    expect(page.locator("#count")).to_have_text("1 of 1")
    assert page.evaluate("document.documentElement.scrollWidth") == 320


def test_the_series_keeps_the_focus(page: Page, site: SiteProcess) -> None:
    """Who works by keyboard stays where they were while twenty messages make their trips."""
    open_echo(page, site)
    button = page.get_by_role("button", name="Send 20 in a row")
    button.focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    expect(page.locator("#count")).to_have_text("20 of 20")
    expect(button).to_be_focused()
    expect(button).to_be_enabled()
