"""Networks that do not let every transport through, in a real browser."""

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

from tests.support.orbited_command import OrbitedCommand
from tests.support.picky_relay import PickyRelay

pytestmark = [pytest.mark.browser, pytest.mark.functional]

TRANSPORTS = ["websocket", "xhrstream", "sse", "longpoll", "poll"]

IMPATIENT = {
    "FIRST_DATA_TIMEOUT": 600,
    "HEARTBEAT_TIMEOUT": 1000,
    "ACK_TIMEOUT": 800,
    "LONGPOLL_TIMEOUT": 1600,
    "POLL_INTERVAL": 100,
}
"""How long pages wait in these tests, in milliseconds, where the default is many seconds.

A transport that is not blocked must not be taken for one that is, so it is more than what a busy
machine holds up one message.
"""

PREPARE = """async ({url, settings}) => {
    const { Orbited, TCPSocket } = await import(url + "static/Orbited.js");
    Object.assign(Orbited.settings, settings);
    // Opens a socket to an echo; numbers the lines that it sends and checks those that come back.
    globalThis.connect = (port) => new Promise((resolve, reject) => {
        const socket = new TCPSocket();
        const line = { socket, used: [], sent: 0, returned: 0, code: null, wrong: null };
        let rest = "";
        socket.ontransport = (name) => line.used.push(name);
        socket.onclose = (code) => reject(new Error(`closed with ${code}`), (line.code = code));
        socket.onread = (text) => {
            const lines = (rest + text).split("\\n");
            rest = lines.pop();
            for (const one of lines) {
                if (one !== String(line.returned)) line.wrong ??= `${one}, not ${line.returned}`;
                line.returned += 1;
            }
        };
        line.talk = () => {
            if (socket.readyState === 3) {
                socket.send(`${line.sent}\\n`);
                line.sent += 1;
            }
        };
        socket.onopen = () => {
            setInterval(line.talk, 10);
            resolve(line);
        };
        socket.open("127.0.0.1", port);
    });
}"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OrbitedCommand]:
    """A server that pings every second, so that silence is noticed soon."""
    folder: Path = tmp_path_factory.mktemp("comet")
    server = OrbitedCommand.in_folder(folder)
    with (folder / "orbited.cfg").open("a") as configuration:
        configuration.write("[session]\nping_interval = 1\nping_timeout = 20\n")
    server.start()
    yield server
    server.kill()


@pytest.fixture
def relay(server: OrbitedCommand) -> Iterator[PickyRelay]:
    """The way to the server."""
    with PickyRelay(("127.0.0.1", server.port)) as relay:
        yield relay


def visit(page: Page, port: int, **settings: Any) -> None:
    """Open a document of the server, by way of a relay, and load Orbited.js into it."""
    page.set_default_timeout(60_000)
    url = f"http://127.0.0.1:{port}/"
    page.goto(f"{url}static/Orbited.js")
    page.evaluate(PREPARE, {"url": url, "settings": settings})


def connect(page: Page, port: int) -> None:
    """Open a socket to the echo, and let it talk until enough has come back."""
    page.evaluate("async (port) => { globalThis.line = await connect(port); }", port)
    expect_more(page)


def wait_until(page: Page, condition: str, argument: Any = None) -> None:
    """Wait for something in the page, without a look at each frame of a display."""
    page.wait_for_function(condition, arg=argument, polling=50)


def expect_more(page: Page, lines: int = 30) -> None:
    """Wait until so many more lines have come back, none of them lost, doubled or displaced."""
    before = page.evaluate("line.returned")
    wait_until(page, "(enough) => line.returned > enough || line.wrong", before + lines)
    assert page.evaluate("[line.wrong, line.code]") == [None, None]


def expect_all(page: Page) -> None:
    """Stop talking, and wait until everything that was sent has come back."""
    page.evaluate("line.talk = () => {}; line.last = line.sent")
    page.evaluate("line.socket.send(`${line.sent++}\\n`)")
    wait_until(page, "() => line.returned >= line.last")
    assert page.evaluate("line.wrong") is None


@pytest.mark.parametrize("way", ["silenced", "broken"])
def test_one_transport_after_the_other(
    page: Page, server: OrbitedCommand, relay: PickyRelay, way: str
) -> None:
    """What dies in mid-stream is left for the next, down to polling, and no line is lost.

    The page remembers: its next socket begins where the first has ended.
    """
    visit(page, relay.port, transports=TRANSPORTS, **IMPATIENT)
    connect(page, server.echo_port)
    blocked = getattr(relay, way)
    for name, following in pairwise(TRANSPORTS):
        assert page.evaluate("line.socket.transport") == name
        blocked.add(name)
        if way == "broken":
            relay.cut()
        wait_until(page, "(name) => line.socket.transport === name", following)
        expect_more(page)
    expect_all(page)
    assert page.evaluate("line.used") == TRANSPORTS
    connect(page, server.echo_port)
    assert page.evaluate("line.used") == ["poll"]


@pytest.mark.parametrize("way", ["silenced", "broken"])
@pytest.mark.parametrize("name", TRANSPORTS[:4])
def test_what_never_works_is_passed_over(
    page: Page, server: OrbitedCommand, relay: PickyRelay, name: str, way: str
) -> None:
    """A transport that brings nothing from the beginning costs a moment, no more."""
    following = TRANSPORTS[TRANSPORTS.index(name) + 1]
    visit(page, relay.port, transports=[name, following], **IMPATIENT)
    getattr(relay, way).add(name)
    connect(page, server.echo_port)
    assert page.evaluate("line.used") == [following]


@pytest.mark.parametrize("way", ["silenced", "broken"])
def test_all_transports_recover_together(
    page: Page, server: OrbitedCommand, relay: PickyRelay, way: str
) -> None:
    """When none gets through the page goes on trying, and goes on where it was when one does."""
    visit(page, relay.port, transports=TRANSPORTS, **IMPATIENT)
    connect(page, server.echo_port)
    getattr(relay, way).update(TRANSPORTS)
    if way == "broken":
        relay.cut()
    last = page.evaluate("line.sent")  # what is sent later comes back by no transport
    wait_until(page, "(last) => line.sent > last + 200", last)
    assert page.evaluate("line.returned") <= last
    getattr(relay, way).clear()
    wait_until(page, "(last) => line.returned > last + 200", last)
    expect_all(page)
