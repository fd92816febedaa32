"""Tabs that sleep, go offline, are put aside and come back, in a real browser."""

import socket
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, Request

from tests.browser.conftest import Browsers, page_in
from tests.support.orbited_command import OrbitedCommand
from tests.support.picky_relay import PickyRelay

pytestmark = [pytest.mark.browser, pytest.mark.functional]

TRANSPORTS = ["websocket", "xhrstream", "sse", "longpoll", "poll"]
NEVER = 1_000_000_000
"""Milliseconds."""

PREPARE = """async ({url, settings, port}) => {
    const { Orbited, TCPSocket } = await import(url + "static/Orbited.js");
    Object.assign(Orbited.settings, settings);
    globalThis.used = [];
    globalThis.shown = [];
    globalThis.text = "";
    globalThis.code = null;
    addEventListener("pageshow", ({ persisted }) => shown.push(persisted));
    globalThis.line = new TCPSocket();
    line.ontransport = (name) => used.push(name);
    line.onread = (more) => (text += more);
    line.onclose = (reason) => (code = reason);
    await new Promise((resolve) => {
        line.onopen = resolve;
        line.open("127.0.0.1", port);
    });
}"""

ENDLESS_PAUSES = """(never) => {
    globalThis.pauses = 0;
    Math.random = () => {
        pauses += 1;
        return never;
    };
}"""


@pytest.fixture(scope="module")
def whole_chromium(browsers: Browsers) -> Iterator[Browser]:
    """A browser that keeps pages which were left.

    Chromium's headless shell has no back-forward cache, and playwright turns it off by default.
    """
    with browsers.whole(without="--disable-back-forward-cache") as browser:
        yield browser


@pytest.fixture
def page_kept(whole_chromium: Browser) -> Iterator[Page]:
    """A page in it."""
    with page_in(whole_chromium) as page:
        yield page


@pytest.fixture
def relay(comet: OrbitedCommand) -> Iterator[PickyRelay]:
    """The way to the server."""
    with PickyRelay(("127.0.0.1", comet.port)) as relay:
        yield relay


@pytest.fixture
def remote(comet: OrbitedCommand) -> Iterator[socket.socket]:
    """Where the page's socket leads to: a listener, which takes the connection."""
    with socket.create_server(("127.0.0.1", comet.other_port)) as listener:
        listener.settimeout(60)
        yield listener


def visit(page: Page, http_port: int, port: int, **settings: object) -> None:
    """Open a document of the server, and in it a socket to a port on loopback."""
    url = f"http://127.0.0.1:{http_port}/"
    page.goto(f"{url}static/Orbited.js")
    page.evaluate(PREPARE, {"url": url, "settings": settings, "port": port})


def expect_text(page: Page, text: str) -> None:
    """Wait until exactly this has arrived."""
    page.wait_for_function("(text) => globalThis.text.length >= text.length", arg=text, polling=50)
    assert page.evaluate("[text, code]") == [text, None]


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_back_forward_cache(
    page_kept: Page, comet: OrbitedCommand, remote: socket.socket, transport: str
) -> None:
    """A page that is put aside keeps its socket, and gets what came in meanwhile, once."""
    page = page_kept
    visit(page, comet.port, comet.other_port, transports=[transport], POLL_INTERVAL=100)
    connection, _ = remote.accept()
    with connection:
        connection.sendall(b"before ")
        expect_text(page, "before ")
        page.goto(f"{comet.url}static/comet/settings.js")
        assert page.evaluate("typeof text") == "undefined"
        connection.sendall(b"meanwhile ")
        page.go_back(wait_until="commit")
        page.evaluate("line.send('back')")
        assert connection.recv(100) == b"back"
        connection.sendall(b"after")
        expect_text(page, "before meanwhile after")
    assert page.evaluate("shown") == [True]


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_frozen_tab(
    page: Page, comet: OrbitedCommand, relay: PickyRelay, remote: socket.socket, transport: str
) -> None:
    """A tab whose connections are cut while the browser has it sleep goes on when it wakes."""
    visit(page, relay.port, comet.other_port, transports=[transport], POLL_INTERVAL=100)
    connection, _ = remote.accept()
    with connection:
        connection.sendall(b"before ")
        expect_text(page, "before ")
        browser = page.context.new_cdp_session(page)
        browser.send("Page.setWebLifecycleState", {"state": "frozen"})
        relay.cut()
        connection.sendall(b"meanwhile ")
        browser.send("Page.setWebLifecycleState", {"state": "active"})
        expect_text(page, "before meanwhile ")
        page.evaluate("line.send('awake')")
        assert connection.recv(100) == b"awake"


@pytest.mark.parametrize("transport", ["xhrstream", "sse", "longpoll", "poll"])
def test_online_again(page: Page, comet: OrbitedCommand, transport: str) -> None:
    """A page that would wait for ever goes on as soon as the browser says that it is online."""
    settings = {"transports": [transport], "POLL_INTERVAL": 100, "RETRY_BASE": 1}
    visit(page, comet.port, comet.echo_port, **settings)
    page.evaluate("line.send('before ')")
    expect_text(page, "before ")
    page.evaluate(ENDLESS_PAUSES, NEVER)
    page.context.set_offline(True)
    unfinished: set[Request] = set()
    page.on("request", lambda request: unfinished.add(request))
    page.on("requestfailed", lambda request: unfinished.discard(request))
    page.evaluate("line.send('offline ')")
    page.wait_for_function("pauses > 0", polling=50)
    while unfinished:  # one that failed after the signal would have the page wait anew
        page.wait_for_event("requestfailed")
    assert page.evaluate("text") == "before "
    page.context.set_offline(False)
    expect_text(page, "before offline ")
    assert page.evaluate("line.transport") == transport


def test_tab_that_is_looked_at(page: Page, comet: OrbitedCommand, relay: PickyRelay) -> None:
    """A WebSocket that died in silence is found out at once, not after its time-outs."""
    patient = {"ACK_TIMEOUT": NEVER, "HEARTBEAT_TIMEOUT": NEVER}
    settings = {"transports": ["websocket"], "FIRST_DATA_TIMEOUT": 300, **patient}
    visit(page, relay.port, comet.echo_port, **settings)
    page.evaluate("line.send('before ')")
    expect_text(page, "before ")
    relay.silenced.add("websocket")
    page.evaluate("line.send('unheard ')")
    with page.expect_websocket():
        page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    relay.silenced.clear()
    expect_text(page, "before unheard ")
