"""The pages that Orbited brings along: front page, monitor, demos. In a real browser."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import ConsoleMessage, Page, expect

from tests.support.orbited_command import ROOT, OrbitedCommand

pytestmark = pytest.mark.browser


class Server(OrbitedCommand):
    """A server with a line echo as well."""

    def configuration(self) -> str:
        """The other port, where nobody listens in other tests, has the line echo here."""
        listen = f"[listen]\nlineecho://127.0.0.1:{self.other_port}"
        return super().configuration().replace("[listen]", listen)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server for all tests of this file."""
    server = Server.in_folder(tmp_path_factory.mktemp("pages"))
    server.start()
    yield server
    server.kill()


@pytest.fixture
def strict_page(page: Page) -> Iterator[Page]:
    """A page on which nothing may be blocked by its policy, or be missing."""
    complaints: list[str] = []

    def listen(message: ConsoleMessage) -> None:
        # A session that is over when its last POST arrives is 404: the page's files are meant here.
        if message.type == "error" and "/tcp/" not in message.location["url"]:
            complaints.append(message.text)

    page.on("console", listen)
    yield page
    assert complaints == []


def connect(page: Page) -> None:
    """Press the button with the keyboard, once it can be pressed."""
    button = page.get_by_role("button", name="Connect", exact=True)
    expect(button).to_be_enabled()
    button.press("Enter")


def follow(page: Page, server: Server, name: str) -> None:
    """Open a demo by its link on the front page, and connect."""
    page.goto(server.url)
    page.get_by_role("link", name=name, exact=True).click()
    connect(page)


def fits(page: Page) -> None:
    """Nothing sticks out of a narrow window."""
    page.set_viewport_size({"width": 320, "height": 700})
    widths = page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    assert widths[0] <= widths[1]


def test_the_front_page_leads_to_the_monitor(strict_page: Page, server: Server) -> None:
    """And the monitor shows what happens while it happens."""
    page = strict_page
    page.goto(server.url)
    fits(page)
    page.get_by_role("link", name="Monitor", exact=True).click()
    expect(page.get_by_role("status")).to_have_text("live")
    sessions = page.locator("[data-show=sessions]")
    expect(sessions).to_have_text("0")
    expect(page.locator("[data-show=memory]")).to_contain_text("MiB")
    expect(page.locator("[data-show=bytesDown]")).to_have_text("0 B/s")
    page.evaluate("""() => void fetch("../tcp")""")
    expect(sessions).to_have_text("1")
    expect(page.get_by_role("row", name="none")).to_contain_text("1")
    fits(page)


def test_the_monitor_says_when_nobody_answers(page: Page, server: Server) -> None:
    """The last figures stay, marked as old, and it goes on when the server is back."""
    page.goto(f"{server.url}system/monitor")
    expect(page.get_by_role("status")).to_have_text("live")
    page.route("**/system/counters", lambda route: route.abort())
    expect(page.get_by_role("status")).to_have_text("offline")
    expect(page.get_by_role("alert")).to_contain_text("does not answer")
    page.unroute("**/system/counters")
    expect(page.get_by_role("status")).to_have_text("live")
    expect(page.get_by_role("alert")).to_be_hidden()


@pytest.mark.parametrize("transport", ["", "longpoll"])
def test_echo(strict_page: Page, server: Server, transport: str) -> None:
    """A line comes back with its time, over the transport that was chosen, by keyboard alone."""
    page = strict_page
    page.goto(f"{server.url}static/demos/echo.html?host=127.0.0.1&port={server.echo_port}")
    page.get_by_label("Transport").select_option(value=transport)
    connect(page)
    expect(page.get_by_role("status")).to_have_text(transport or "websocket")
    expect(page.get_by_label("Message")).to_be_focused()
    page.keyboard.type("h\u00e9llo <b>")
    page.keyboard.press("Enter")
    expect(page.get_by_role("log").get_by_role("listitem")).to_contain_text("h\u00e9llo <b>")
    expect(page.get_by_role("log").get_by_role("listitem")).to_contain_text(" ms")
    fits(page)
    page.get_by_role("button", name="Disconnect").click()
    expect(page.get_by_role("status")).to_have_text("closed")
    expect(page.get_by_label("Message")).to_be_disabled()


def test_a_refusal_is_a_sentence(strict_page: Page, server: Server) -> None:
    """What the code means stands on the page."""
    page = strict_page
    page.goto(f"{server.url}static/demos/echo.html?host=192.0.2.1&port=80")
    connect(page)
    expect(page.get_by_role("alert")).to_contain_text("access list")
    expect(page.get_by_role("status")).to_have_text("closed")


def test_telnet(strict_page: Page, server: Server) -> None:
    """Lines go out whole and come back whole."""
    page = strict_page
    follow(page, server, "Telnet")
    expect(page.get_by_label("Line")).to_be_focused()
    page.keyboard.type("first")
    page.keyboard.press("Enter")
    page.keyboard.type("second")
    page.keyboard.press("Enter")
    expect(page.get_by_role("log")).to_have_text("first\nsecond\n", use_inner_text=True)
    fits(page)


def test_stomp_shell(strict_page: Page, server: Server) -> None:
    """A message comes back to who has subscribed, and every frame is shown."""
    page = strict_page
    follow(page, server, "STOMP shell")
    page.get_by_role("button", name="Subscribe", exact=True).click()
    page.get_by_label("Message to the destination").fill("hello")
    page.keyboard.press("Enter")
    frames = page.get_by_role("log").get_by_role("listitem")
    expect(frames.last).to_contain_text("\u2190 MESSAGE")
    expect(frames.last).to_contain_text("hello")
    expect(frames).to_have_count(5)  # CONNECT, CONNECTED, SUBSCRIBE, SEND, MESSAGE
    page.get_by_role("button", name="Unsubscribe").click()
    fits(page)
    page.get_by_role("button", name="Disconnect").click()
    expect(page.get_by_role("status")).to_have_text("closed")


def test_the_telnet_of_the_documentation(page: Page, tmp_path: Path) -> None:
    """What how-to/use-orbited-alone.md shows works as it stands, but for the ports."""
    text = (ROOT / "documentation/how-to/use-orbited-alone.md").read_text(encoding="utf-8")
    blocks = dict(
        reversed(re.findall(r"^```(ini|html)\n(.*?)^```", text, re.DOTALL | re.MULTILINE))
    )
    alone = Server.in_folder(tmp_path)
    alone.stomp_port = alone.other_port  # there is no broker; its port is waited for
    for name, content in (("orbited.cfg", blocks["ini"]), ("index.html", blocks["html"])):
        changed = content.replace("8001", str(alone.port)).replace("7002", str(alone.other_port))
        (tmp_path / name).write_text(changed, encoding="utf-8")
    alone.start()
    try:
        page.goto(alone.url)
        expect(page.locator("pre")).to_have_text("connected\n", use_inner_text=True)
        page.keyboard.type("hello")
        page.keyboard.press("Enter")
        expect(page.locator("pre")).to_have_text("connected\nhello\n", use_inner_text=True)
    finally:
        alone.kill()
