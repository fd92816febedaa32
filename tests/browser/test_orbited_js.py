"""Orbited.js and stomp.js in a real browser, against a real server, over every transport."""

import contextlib
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from playwright.sync_api import Error, Page

from tests.support.orbited_command import OrbitedCommand
from tests.support.ports import free_port
from tests.support.relay import Relay

pytestmark = pytest.mark.browser

TRANSPORTS = ["websocket", "xhrstream", "longpoll", "sse", "poll"]

PREPARE = """async ({url, transports, settings}) => {
    const { Orbited, TCPSocket } = await import(url + "static/Orbited.js");
    Object.assign(Orbited.settings, { transports, ...settings });
    globalThis.used = [];
    globalThis.connect = (port, mode) => new Promise((resolve, reject) => {
        const socket = new TCPSocket();
        socket.onopen = () => resolve(socket);
        socket.onclose = (code) => reject(new Error(`closed with ${code}`));
        socket.ontransport = (name) => used.push(name);
        socket.open("127.0.0.1", port, mode);
    });
    // Sends numbered lines, some at a time, and collects what comes back: so many, or as many as
    // there are until `enough` is set.
    globalThis.lines = async (port, count, perTurn) => {
        const socket = await connect(port, false);
        let sent = "";
        let returned = "";
        let compare = () => {};
        const done = new Promise((resolve, reject) => {
            socket.onread = (text) => {
                returned += text;
                globalThis.returnedLength = returned.length;
                compare();
            };
            socket.onclose = (code) => reject(new Error(`closed with ${code}`));
            compare = () => globalThis.enough && returned.length >= sent.length && resolve();
        });
        globalThis.enough = false;
        for (let index = 0; index < count && !globalThis.enough; index += perTurn) {
            const numbers = Array.from({ length: perTurn }, (_, at) => index + at);
            const text = numbers.map((number) => `line ${number}\\n`).join("");
            socket.send(text);
            sent += text;
            await new Promise((resolve) => setTimeout(resolve, 5));
        }
        globalThis.enough = true;
        compare();
        await done;
        await new Promise((resolve) => setTimeout(resolve, 100));
        socket.close();
        return returned === sent;
    };
}"""


def visit(
    page: Page, url: str, transports: list[str], page_url: str | None = None, **settings: Any
) -> None:
    """Open a document and load Orbited.js from the server at ``url`` into it.

    The document is a real one of a real server, because Chromium lets no page from elsewhere
    reach a loopback address.
    """
    page.set_default_timeout(30_000)
    page.goto(page_url or f"{url}static/Orbited.js")
    page.evaluate(PREPARE, {"url": url, "transports": transports, "settings": settings})


@contextlib.contextmanager
def other_site(port: int) -> Iterator[str]:
    """A site on another port, with an empty page."""

    class EmptyPage(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(b"<!doctype html><title>empty</title>")

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", port), EmptyPage)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{port}/"
    finally:
        server.shutdown()
        server.server_close()


@pytest.fixture
def relay(comet: OrbitedCommand) -> Iterator[Relay]:
    """A way to the server that can be cut."""
    with Relay(("127.0.0.1", comet.port)) as relay:
        yield relay


# -- each transport by itself ---------------------------------------------------------------------

ECHO = """async ({port, length}) => {
    const socket = await connect(port, "bytes");
    const sent = Uint8Array.from({ length }, (_, index) => (index * 7919 + (index >> 8)) % 256);
    const returned = new Uint8Array(length);
    let count = 0;
    await new Promise((resolve, reject) => {
        socket.onclose = (code) => reject(new Error(`closed with ${code}`));
        socket.onread = (bytes) => {
            returned.set(bytes, count);
            count += bytes.length;
            if (count === length) resolve();
        };
        socket.send(sent.subarray(0, 10));
        socket.send(sent.subarray(10));
    });
    const isSame = sent.every((byte, index) => returned[index] === byte);
    const closed = new Promise((resolve) => (socket.onclose = resolve));
    const { transport } = socket;
    socket.close();
    return [transport, isSame, await closed];
}"""


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_megabyte_both_ways(page: Page, comet: OrbitedCommand, transport: str) -> None:
    """A megabyte of all bytes comes back as it was, over the transport that was asked for."""
    visit(page, comet.url, [transport], POLL_INTERVAL=50)
    result = page.evaluate(ECHO, {"port": comet.echo_port, "length": 1_000_000})
    assert result == [transport, True, 103]


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_text_is_utf8(page: Page, comet: OrbitedCommand, transport: str) -> None:
    """Text comes back as it was, characters beyond U+FFFF among it."""
    visit(page, comet.url, [transport], POLL_INTERVAL=50)
    text = "héllo <b>&\"' 你好 😀"
    script = """async ({port, text}) => {
        const socket = await connect(port, false);
        let returned = "";
        await new Promise((resolve) => {
            socket.onread = (piece) => {
                returned += piece;
                if (returned.length >= text.length) resolve();
            };
            socket.send(text);
        });
        socket.close();
        return returned;
    }"""
    assert page.evaluate(script, {"port": comet.echo_port, "text": text}) == text


STOMP = """async ({url, port}) => {
    const { STOMPClient } = await import(url + "static/protocols/stomp/stomp.js");
    const client = new STOMPClient();
    const heard = [];
    await new Promise((resolve, reject) => {
        const destination = "/topic/a:b\\\\c";
        client.onerror = reject;
        client.onerrorframe = (frame) => reject(new Error(frame.headers.message));
        client.onopen = () => {
            heard.push("open");
            client.subscribe(destination, { id: "mine", receipt: "subscribed" });
        };
        client.onconnectedframe = (frame) => heard.push(frame.headers.version);
        client.onreceiptframe = (frame) => {
            heard.push(frame.headers["receipt-id"]);
            client.send("héllo \\0 你好", destination, { note: "two\\nlines: yes" });
        };
        client.onmessageframe = ({ headers, body }) => {
            heard.push([headers.destination, headers.subscription, headers.note, body]);
            client.disconnect();
        };
        client.onclose = (code) => resolve(heard.push(code));
        client.connect("127.0.0.1", port, "guest", "guest");
    });
    return heard;
}"""


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_stomp_to_the_broker_in_the_server(
    page: Page, comet: OrbitedCommand, transport: str
) -> None:
    """Connect, subscribe, send, receive and disconnect, with escaped headers and a NUL inside."""
    visit(page, comet.url, [transport], POLL_INTERVAL=50)
    heard = page.evaluate(STOMP, {"url": comet.url, "port": comet.stomp_port})
    message = ["/topic/a:b\\c", "mine", "two\nlines: yes", "héllo \0 你好"]
    assert heard[:-1] == ["open", "1.2", "subscribed", message]
    assert heard[-1] in (103, 201)


# -- when things break ----------------------------------------------------------------------------


def wait_for_more(page: Page) -> None:
    """Wait until some more of the lines have come back."""
    returned = page.evaluate("returnedLength")
    page.wait_for_function("(enough) => globalThis.returnedLength > enough", arg=returned + 100)


@pytest.mark.parametrize("transport", TRANSPORTS[:4])
def test_cut_connections_lose_nothing(
    page: Page, comet: OrbitedCommand, relay: Relay, transport: str
) -> None:
    """Connections are cut thirty times while lines are echoed: each comes back once, in order."""
    visit(page, f"http://127.0.0.1:{relay.port}/", [transport])
    start = "(port) => { globalThis.result = lines(port, Infinity, 5); }"
    page.evaluate(start, comet.echo_port)
    page.wait_for_function("globalThis.returnedLength > 100")
    while relay.cuts < 30:
        relay.cut()
        wait_for_more(page)
    page.evaluate("globalThis.enough = true")  # until here it was in mid-stream
    assert page.evaluate("result") is True


def test_offline_for_a_while(page: Page, comet: OrbitedCommand) -> None:
    """Lines that are sent while the browser is offline arrive when it is back."""
    visit(page, comet.url, ["longpoll"])
    page.evaluate("(port) => { globalThis.result = lines(port, 300, 1); }", comet.echo_port)
    page.wait_for_function("globalThis.returnedLength > 100")
    page.context.set_offline(True)
    for _ in range(3):  # its attempts to come back
        with page.expect_event("requestfailed"):
            pass
    page.context.set_offline(False)
    assert page.evaluate("result") is True


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_server_that_was_restarted(page: Page, comet: OrbitedCommand, transport: str) -> None:
    """A new server does not know the session: 201, at once; a new socket then works."""
    visit(page, comet.url, [transport], POLL_INTERVAL=50)
    page.evaluate(
        """async (port) => {
            const socket = await connect(port, false);
            globalThis.ending = new Promise((resolve) => (socket.onclose = resolve));
        }""",
        comet.echo_port,
    )
    comet.kill()
    comet.start()
    assert page.evaluate("ending") == 201
    assert page.evaluate("(port) => lines(port, 20, 5)", comet.echo_port) is True


def test_page_that_goes_away_closes_its_connection(page: Page, comet: OrbitedCommand) -> None:
    """The remote end hears of it at once, not when the session times out."""
    with socket.create_server(("127.0.0.1", comet.other_port)) as listener:
        listener.settimeout(60)
        ended = threading.Event()

        def serve() -> None:
            connection, _ = listener.accept()
            connection.settimeout(60)
            with connection:
                while connection.recv(100):
                    pass
            ended.set()

        threading.Thread(target=serve, daemon=True).start()
        visit(page, comet.url, ["longpoll"])
        page.evaluate("(port) => connect(port, false).then(() => undefined)", comet.other_port)
        page.close()
        assert ended.wait(20)  # its time-outs are a minute


# -- what is not allowed --------------------------------------------------------------------------

CODE = """(target) => new Promise((resolve) => {
    const socket = new Orbited.TCPSocket();
    socket.onclose = resolve;
    socket.open(target.host, target.port, false);
})"""


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_closing_is_quiet(page: Page, comet: OrbitedCommand, transport: str) -> None:
    """The server hears of it, and no request fails: the page's console has nothing to say."""
    visit(page, comet.url, [transport])
    failures: list[str] = []
    page.on("response", lambda answer: failures.append(answer.url) if not answer.ok else None)
    page.evaluate(
        """async (port) => {
            const ask = async (name) => await (await fetch("/system/" + name)).json();
            const { counters } = await ask("counters");
            const socket = await connect(port, false);
            socket.close();
            while ((await ask("counters")).counters.sessions_ended === counters.sessions_ended);
            for (let turn = 0; turn < 10; turn++) await ask("health"); // behind what still goes up
        }""",
        comet.echo_port,
    )
    assert failures == []


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_refusals_have_their_codes(page: Page, comet: OrbitedCommand, transport: str) -> None:
    """106 for a target that is not in the access list, 108 for one where nobody listens."""
    visit(page, comet.url, [transport], POLL_INTERVAL=50)
    assert page.evaluate(CODE, {"host": "127.0.0.1", "port": 1}) == 106
    assert page.evaluate(CODE, {"host": "127.0.0.1", "port": comet.other_port}) == 108


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_listed_origin(page: Page, comet: OrbitedCommand, transport: str) -> None:
    """A page of a listed origin works, without a preflight and without cookies."""
    page.context.add_cookies([{"name": "secret", "value": "1", "url": comet.url}])
    methods: list[str] = []
    cookies: list[str] = []

    def look(request: Any) -> None:
        if request.url.startswith(f"{comet.url}tcp"):
            methods.append(request.method)
            if "cookie" in request.all_headers():
                cookies.append(request.url)

    page.on("requestfinished", look)
    with other_site(comet.page_port) as site:
        visit(page, comet.url, [transport], site, POLL_INTERVAL=50)
        result = page.evaluate(ECHO, {"port": comet.echo_port, "length": 1000})
    assert result == [transport, True, 103]
    assert "OPTIONS" not in methods
    assert not cookies


def test_origin_that_is_not_listed(page: Page, comet: OrbitedCommand) -> None:
    """A page of another origin cannot load the modules, and gets no session: 102."""
    with other_site(free_port()) as site:
        page.goto(site)
        answer = "(url) => fetch(url + 'tcp').then(() => 'an answer', () => 'nothing')"
        assert page.evaluate(answer, comet.url) == "nothing"
        with pytest.raises(Error, match="dynamically imported module"):
            visit(page, comet.url, ["longpoll"], site)
