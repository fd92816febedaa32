"""The untouched JavaScript files of Orbited 0.7.10 in a browser of today, against this server.

Nothing in them is changed. Two transports of theirs were made for what only Internet Explorer and
Opera had; for these the page is given a stand-in of that, ``ActiveXObject("htmlfile")`` and the
``event-source`` element, as small as can be.
"""

from __future__ import annotations

import contextlib
import signal
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

from tests.support.files_of_2010 import MISSING, PACKAGE, PAGE, ServerOf2010
from tests.support.stomp_page import StompPage

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not (PACKAGE / "static" / "Orbited.js").is_file(), reason=MISSING),
]

TRANSPORTS = ["XHRStream", "LongPoll", "Poll", "HTMLFile", "SSE"]

#: A document of its own, and a function that frees memory: what htmlfile is made of.
INTERNET_EXPLORER = """
globalThis.ActiveXObject = function () {
    const frame = document.body.appendChild(document.createElement("iframe"));
    const htmlfile = frame.contentDocument;
    htmlfile.parentWindow = frame.contentWindow;
    return htmlfile;
};
globalThis.CollectGarbage = () => {};
"""

#: An element that reads the events of 2008 from its ``src``, opened again whenever it ends.
OPERA = """
globalThis.opera = { version: () => 9.0 };
{
    const create = document.createElement.bind(document);
    document.createElement = (name) => {
        const element = create(name);
        if (name !== "event-source") return element;
        const isOpen = () => element.isConnected && element.getAttribute("src");
        const read = async () => {
            const answer = await fetch(element.getAttribute("src"), { headers: { Accept: "*/*" } });
            if (answer.headers.get("content-type") !== "application/x-dom-event-stream") return;
            const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
            let text = "";
            for (;;) {
                const { value, done } = await reader.read();
                if (done || !isOpen()) return;
                const events = (text + value).split("\\n\\n");
                text = events.pop();
                for (const event of events) {
                    const [, type, data] = event.match(/^Event: (\\S+)(?:\\ndata: (.*))?$/);
                    element.dispatchEvent(Object.assign(new Event(type), { data }));
                }
            }
        };
        element.removeEventSource = () => {};
        setTimeout(async () => {
            while (isOpen()) await read();
        });
        return element;
    };
}
"""

PREPARE = """({transport, settings}) => {
    Object.assign(Orbited.settings, settings);
    if (transport) {
        Orbited.util.chooseTransport = () => Orbited.CometTransports[transport];
    }
    globalThis.connect = (port, isBinary, host = "127.0.0.1") => new Promise((resolve, reject) => {
        const socket = new TCPSocket();
        socket.onopen = () => resolve(socket);
        socket.onclose = (code) => reject(new Error(`closed with ${code}`));
        socket.open(host, port, isBinary);
    });
    globalThis.closing = (port, host) => new Promise((resolve) => {
        const socket = new TCPSocket();
        socket.onclose = resolve;
        socket.open(host, port);
    });
}"""

ECHO = """async ({port, text, isBinary}) => {
    const socket = await connect(port, isBinary);
    let returned = "";
    await new Promise((resolve, reject) => {
        socket.onclose = (code) => reject(new Error(`closed with ${code}`));
        socket.onread = (piece) => {
            returned += piece;
            if (returned.length >= text.length) resolve();
        };
        for (let start = 0; start < text.length; start += 4001) {
            socket.send(text.slice(start, start + 4001));
        }
    });
    const closed = new Promise((resolve) => (socket.onclose = resolve));
    socket.close();
    return [returned === text, await closed];
}"""

BYTES = "".join(chr((index * 7919 + (index >> 8)) % 256) for index in range(300_000))


@pytest.fixture(scope="module")
def old(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerOf2010]:
    """One server for all of them."""
    server = ServerOf2010.in_folder(tmp_path_factory.mktemp("2010"))
    server.start()
    yield server
    server.kill()


def visit(
    page: Page, url: str, transport: str | None = None, shims: str = "", **settings: Any
) -> None:
    """Load the page and the old files, and choose the transport."""
    page.set_default_timeout(30_000)
    shims += INTERNET_EXPLORER if transport == "HTMLFile" else ""
    shims += OPERA if transport == "SSE" else ""
    if shims:
        # Not before the old files have looked at the browser: the choice is made below.
        page.add_init_script(f'addEventListener("DOMContentLoaded", () => {{{shims}}});')
    page.goto(url)
    page.evaluate(PREPARE, {"transport": transport, "settings": settings})


@contextlib.contextmanager
def service(port: int) -> Iterator[socket.socket]:
    """A back end that the test itself speaks for."""
    with socket.create_server(("127.0.0.1", port)) as listener:
        listener.settimeout(60)
        yield listener


# -- each transport by itself ---------------------------------------------------------------------


def test_the_default_transport(page: Page, old: ServerOf2010) -> None:
    """What the old files choose themselves, which is long polling here, brings all bytes back."""
    visit(page, old.page_url)
    with page.expect_request("**/longpoll?*"):
        echoed = page.evaluate(ECHO, {"port": old.echo_port, "text": BYTES, "isBinary": True})
    assert echoed == [True, 103]


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_bytes_both_ways(page: Page, old: ServerOf2010, transport: str) -> None:
    """All bytes, far beyond the size at which a stream is ended, come back as they were."""
    visit(page, old.page_url, transport, POLL_INTERVAL=50)
    with page.expect_request(f"**/{transport.lower()}?*"):
        echoed = page.evaluate(ECHO, {"port": old.echo_port, "text": BYTES, "isBinary": True})
    assert echoed == [True, 103]


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_text_and_json(page: Page, old: ServerOf2010, transport: str) -> None:
    """Text that the old JSON has written comes back as UTF-8."""
    visit(page, old.page_url, transport, POLL_INTERVAL=50)
    text = page.evaluate("""() => Orbited.JSON.stringify({
        words: ["h\\u00e9llo", "<b>&\\"'", "\\u4f60\\u597d"], number: -1.5, nothing: null
    })""")
    assert page.evaluate(ECHO, {"port": old.echo_port, "text": text, "isBinary": False})[0]


SUBSCRIBE = """({port, count}) => new Promise((resolve, reject) => {
    globalThis.bodies = [];
    const client = new STOMPClient();
    client.onclose = (code) => reject(new Error(`closed with ${code}`));
    client.onerror = (error) => reject(new Error(error));
    client.onerrorframe = (frame) => reject(new Error(frame.body));
    client.onmessageframe = (frame) => {
        bodies.push(frame.body);
        if (bodies.length === count) globalThis.finish();
    };
    client.onconnectedframe = () => {
        client.subscribe("/topic/old", { receipt: "subscribed" });
    };
    client.onreceiptframe = () => resolve();
    globalThis.finished = new Promise((finish) => (globalThis.finish = finish));
    client.connect("127.0.0.1", port, "guest", "guest");
    globalThis.client = client;
})"""

SEND_AND_WAIT = """async ({from, to}) => {
    for (let number = from; number < to; number += 1) {
        client.send(`message ${number}`, "/topic/old");
    }
    await finished;
    return bodies;
}"""


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_stomp_messages_in_order(page: Page, old: ServerOf2010, transport: str) -> None:
    """Hundreds of messages from another sender in one burst, then its own: each once, in order."""
    visit(page, old.page_url, transport, POLL_INTERVAL=50)
    page.evaluate(SUBSCRIBE, {"port": old.stomp_port, "count": 2400})
    with StompPage(old.stomp_port, "guest", "guest") as other:
        for number in range(2000):
            other.send("SEND", {"destination": "/topic/old"}, b"message %d" % number)
        other.send("SEND", {"destination": "/topic/none", "receipt": "done"})
        other.receive()
        bodies = page.evaluate(SEND_AND_WAIT, {"from": 2000, "to": 2400})
    assert bodies == [f"message {number}" for number in range(2400)]


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_large_messages_in_a_burst(page: Page, old: ServerOf2010, transport: str) -> None:
    """Messages that fill several packets and more than one stream each are put together again."""
    visit(page, old.page_url, transport, POLL_INTERVAL=50)
    bodies = [str(number) * 30_000 for number in range(10)]
    page.evaluate(SUBSCRIBE, {"port": old.stomp_port, "count": len(bodies)})
    with StompPage(old.stomp_port, "guest", "guest") as other:
        for body in bodies:
            other.send("SEND", {"destination": "/topic/old"}, body.encode())
        assert page.evaluate("finished.then(() => bodies)") == bodies


# -- how it ends ----------------------------------------------------------------------------------


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_close_codes(page: Page, old: ServerOf2010, transport: str) -> None:
    """Each reason has the code that it had, whatever carries it."""
    visit(page, old.page_url, transport, POLL_INTERVAL=50)
    codes = {
        (old.echo_port, "two words"): 102,
        (old.echo_port, "not.listed"): 106,
        (old.other_port, "127.0.0.1"): 108,
        (old.rude_port, "127.0.0.1"): 201,
    }
    for (port, host), code in codes.items():
        assert page.evaluate("([port, host]) => closing(port, host)", [port, host]) == code


def test_a_server_that_hangs(page: Page, tmp_path: Path) -> None:
    """The page notices by the pings that it was told of: 101."""
    old = ServerOf2010.in_folder(tmp_path)
    with (tmp_path / "orbited.cfg").open("a") as configuration:
        configuration.write("[session]\nping_interval = 2\nping_timeout = 4\n")
    old.start()
    try:
        hang(page, old)
    finally:
        old.kill()


def hang(page: Page, old: ServerOf2010) -> None:
    """Connect, stop the server, and see what the page makes of it."""
    visit(page, old.page_url, "XHRStream")
    page.evaluate(
        """port => connect(port).then((socket) => {
        globalThis.hasClosed = new Promise((resolve) => (socket.onclose = resolve));
    })""",
        old.echo_port,
    )
    assert old.process is not None
    old.process.send_signal(signal.SIGSTOP)
    try:
        assert page.evaluate("hasClosed") == 101
    finally:
        old.process.send_signal(signal.SIGCONT)


def reset_is_heard(page: Page, old: ServerOf2010) -> None:
    """Connect to a back end of the test's own, reset, and see that its connection ends at once."""
    with service(old.service_port) as listener:
        page.evaluate(
            "port => connect(port).then((socket) => void (globalThis.socket = socket))",
            old.service_port,
        )
        connection, _ = listener.accept()
        with connection:
            page.evaluate("""() => new Promise((resolve) => {
                socket.onclose = resolve;
                socket.reset();
            })""")
            assert connection.recv(1) == b""


def test_reset_is_heard_at_the_back_end(page: Page, old: ServerOf2010) -> None:
    """The blocking request of a page that leaves ends the TCP connection at once."""
    visit(page, old.page_url)
    reset_is_heard(page, old)


@pytest.mark.parametrize("transport", ["XHRStream", "HTMLFile"])
def test_a_stream_that_is_silent_for_too_long(
    page: Page, old: ServerOf2010, transport: str
) -> None:
    """The page opens it anew by itself, again and again, and nothing is lost or doubled."""
    visit(page, old.page_url, transport, HEARTBEAT_TIMEOUT=150)
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    count = 30
    numbers = page.evaluate(
        """async ({port, count}) => {
        const socket = await connect(port);
        let text = "";
        const done = new Promise((resolve) => {
            socket.onread = (piece) => {
                text += piece;
                if (text.split("\\n").length > count) resolve();
            };
        });
        for (let number = 0; number < count; number += 1) {
            socket.send(`${number}\\n`);
            await new Promise((resolve) => setTimeout(resolve, number % 10 ? 20 : 400));
        }
        await done;
        socket.close();
        return text;
    }""",
        {"port": old.echo_port, "count": count},
    )
    assert numbers == "".join(f"{number}\n" for number in range(count))
    opened = [url for url in requests if f"/{transport.lower()}?" in url]
    assert len(opened) >= 3


# -- from another port ----------------------------------------------------------------------------


@contextlib.contextmanager
def other_site(port: int, html: str, **headers: str) -> Iterator[str]:
    """A site on another port with one page."""

    class OnePage(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            for name, value in headers.items():
                self.send_header(name.replace("_", "-"), value)
            self.end_headers()
            self.wfile.write(html.encode())

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", port), OnePage)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{port}/"
    finally:
        server.shutdown()
        server.server_close()


@pytest.mark.parametrize("transport", ["XHRStream", "LongPoll", "Poll"])
def test_a_page_of_another_port(page: Page, old: ServerOf2010, transport: str) -> None:
    """Through the bridge, where the page opts out of origin clusters and is in the access list."""
    html = PAGE.format(url=old.url, domain="document.domain")
    with other_site(old.page_port, html, Origin_Agent_Cluster="?0") as url:
        visit(page, url, transport, POLL_INTERVAL=50)
        text = BYTES[:60_000]
        echoed = page.evaluate(ECHO, {"port": old.echo_port, "text": text, "isBinary": True})
        assert echoed == [True, 103]
        codes = page.evaluate("port => closing(port, 'not.listed')", old.echo_port)
        assert codes == 106


def test_a_page_of_a_subdomain(page: Page, old: ServerOf2010) -> None:
    """Bytes come back, and the good-bye of a page that leaves reaches the back end."""
    url = f"{old.subdomain_url}/page.html"
    html = PAGE.format(url=f"http://x.localhost:{old.port}/", domain="'x.localhost'")
    headers = {"Origin-Agent-Cluster": "?0", "Content-Type": "text/html"}
    page.route(url, lambda route: route.fulfill(body=html, headers=headers))
    page.context.grant_permissions(["local-network-access"])  # that page comes from nowhere
    visit(page, url)
    text = BYTES[:60_000]
    with page.expect_request("**/static/xsdClose.js"):
        echoed = page.evaluate(ECHO, {"port": old.echo_port, "text": text, "isBinary": True})
    assert echoed == [True, 103]
    reset_is_heard(page, old)


def test_a_page_that_is_not_listed_has_no_bridge(page: Page, old: ServerOf2010) -> None:
    """A browser of today does not let it embed one."""
    html = PAGE.format(url=old.url, domain="document.domain")
    with other_site(old.other_port, html, Origin_Agent_Cluster="?0") as url:
        visit(page, url)
        with page.expect_console_message(lambda message: "frame-ancestors" in message.text):
            page.evaluate("port => void closing(port, '127.0.0.1')", old.echo_port)
        page.frames[1].wait_for_url("chrome-error:**", wait_until="commit")


# -- the other protocols --------------------------------------------------------------------------

#: Which Orbited.js the old protocol files stand on: their own, or the one of today.
GROUND = ["2010", "today"]

TODAY = """async (url) => {
    const { Orbited, TCPSocket } = await import(url + "static/Orbited.js");
    Object.assign(globalThis, { Orbited, TCPSocket });
    TelnetClient.prototype.transport = XMPPClient.prototype.transport = TCPSocket;
}"""


def stand_on(page: Page, old: ServerOf2010, ground: str) -> None:
    """Load the protocol files, and perhaps put them on today's Orbited.js."""
    visit(page, old.page_url)
    if ground == "today":
        page.evaluate(TODAY, old.url)


@pytest.mark.parametrize("ground", GROUND)
def test_telnet(page: Page, old: ServerOf2010, ground: str) -> None:
    """Lines go up and come back, over the line echo."""
    stand_on(page, old, ground)
    lines = page.evaluate(
        """(port) => new Promise((resolve) => {
            const client = new TelnetClient();
            const lines = [];
            client.onopen = () => ["first", "second"].forEach((line) => client.send(line));
            client.onmessage = (line) => {
                if (line.trim()) lines.push(line.trim());
                if (lines.length === 2) resolve(lines);
            };
            client.connect("127.0.0.1", port);
        })""",
        old.line_port,
    )
    assert lines == ["first", "second"]


@pytest.mark.parametrize("ground", GROUND)
def test_stomp_of_2010(page: Page, old: ServerOf2010, ground: str) -> None:
    """The old stomp.js sends, and gets what it has subscribed to."""
    stand_on(page, old, ground)
    page.evaluate(SUBSCRIBE, {"port": old.stomp_port, "count": 3})
    bodies = page.evaluate(SEND_AND_WAIT, {"from": 0, "to": 3})
    assert bodies == ["message 0", "message 1", "message 2"]


IRC = """(port) => {
    globalThis.heard = [];
    const client = new IRCClient();
    client.onopen = () => {
        client.nick("ann");
        client.ident("ann", "8 *", "Ann");
    };
    client.onresponse = (command) => {
        heard.push(command.type);
        client.join("#room");
    };
    client.onPRIVMSG = (command) => {
        heard.push(command.args.slice(-1)[0]);
        client.privmsg("#room", "hello too");
    };
    client.connect("127.0.0.1", port);
}"""


@pytest.mark.parametrize("ground", GROUND)
def test_irc(page: Page, old: ServerOf2010, ground: str) -> None:
    """It logs in, joins and talks, as a server of that protocol sees it."""
    stand_on(page, old, ground)
    with service(old.service_port) as listener:
        page.evaluate(IRC, old.service_port)
        connection, _ = listener.accept()
        with connection, connection.makefile("rb") as lines:
            assert [next(lines), next(lines)] == [b"NICK ann\r\n", b"USER ann 8 * :Ann\r\n"]
            connection.sendall(b":irc.example 001 ann :Welcome\r\n")
            assert next(lines) == b"JOIN #room\r\n"
            connection.sendall(b":bob!b@example PRIVMSG #room :hello\r\n")
            assert next(lines) == b"PRIVMSG #room :hello too\r\n"
        assert page.evaluate("heard[0]") == "001"
        assert "hello" in page.evaluate("heard[1]")


XMPP = """(port) => {
    const client = new XMPPClient();
    globalThis.said = new Promise((resolve) => {
        client.onMessage = (jid, name, text) => resolve([jid, text]);
    });
    client.onSocketConnect = () => client.connectServer("example.org", () =>
        client.login("ann", "secret", () => client.msg("bob@example.org", "hi"))
    );
    client.connect("127.0.0.1", port);
}"""


@pytest.mark.parametrize("ground", GROUND)
def test_xmpp(page: Page, old: ServerOf2010, ground: str) -> None:
    """It opens its stream, logs in, sends a message and reads one."""
    stand_on(page, old, ground)
    with service(old.service_port) as listener:
        page.evaluate(XMPP, old.service_port)
        connection, _ = listener.accept()
        with connection:
            received = b""

            def wait_for(text: bytes) -> None:
                nonlocal received
                while text not in received:
                    piece = connection.recv(4096)
                    assert piece, received
                    received += piece

            wait_for(b"<stream:stream to='example.org'")
            connection.sendall(b"<stream:stream from='example.org' id='1'>")
            wait_for(b"<username>ann</username><password>secret</password>")
            connection.sendall(b"<iq type='result'/>")
            wait_for(b"<body>hi</body></message>")
            connection.sendall(b"<message from='bob@example.org'><body>hello</body></message>")
            assert page.evaluate("said") == ["bob@example.org", "hello"]
