"""The edge in a real server: bounds, hostile requests, static files, system pages."""

import contextlib
import json
import select
import socket
from collections.abc import Iterator
from typing import Any

import pytest

from orbited.protocol.packets import DATA, RAW, Packet
from tests.support.comet import Browser, Response, send, serving

pytestmark = pytest.mark.functional

LIMITS = {"post_bytes": 5000, "header_bytes": 4000, "sessions": 3000}
HASTY = {"header_seconds": 2, "body_seconds": 2, "stalled_seconds": 0.5}
"""Times to be waited for. What has to be in time has more of it, on a machine that is busy too."""


@pytest.fixture(scope="module")
def server() -> Iterator[dict[str, Any]]:
    """A server with tight limits."""
    with serving({"limits": LIMITS}) as server:
        yield server


@pytest.fixture(scope="module")
def hasty_server() -> Iterator[dict[str, Any]]:
    """One that does not wait."""
    with serving({"limits": LIMITS | HASTY}) as server:
        yield server


@pytest.fixture
def browser(server: dict[str, Any]) -> Browser:
    """A session connected to the echo."""
    browser = Browser(server["http"])
    browser.shake_hands("localhost:18001")
    return browser


def raw(server: dict[str, Any], *pieces: bytes) -> bytes:
    """Send bytes, and read until the server closes."""
    with socket.create_connection(("127.0.0.1", server["http"]), 60) as connection:
        for piece in pieces:
            connection.sendall(piece)
        received = b""
        try:
            while piece := connection.recv(65536):
                received += piece
        except ConnectionResetError:
            pass
        return received


def test_a_post_may_be_as_large_as_allowed(browser):
    """At the limit it is taken, beyond it 413; the session goes on."""
    body = browser.packets(b"x" * 3000)
    padding = 5000 - len(body)
    browser.next_id = 3
    body = browser.packets(b"x" * (3000 + padding // 4 * 3 - 30))
    assert len(body) <= 5000
    assert browser.post(body) == (200, b"OK")
    with browser.request("POST", f"/tcp/{browser.key}", b"x" * 5001) as response:
        assert response.status == 413
        assert response.headers["connection"] == "close"
    browser.send(b"and on")
    while not browser.received.endswith(b"and on"):
        browser.poll()


def test_a_post_without_a_length_is_bounded_too(server, browser):
    """Chunks are counted while they come."""
    head = f"POST /tcp/{browser.key} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    chunk = b"3e8\r\n" + b"x" * 1000 + b"\r\n"
    assert b" 413 " in raw(server, head.encode(), *[chunk] * 6).splitlines()[0]


def test_a_head_that_comes_in_drops_is_cut(hasty_server):
    """Neither an idle connection nor one byte at a time holds a connection for long."""
    assert b" 408 " in raw(hasty_server, b"GET /tcp HTTP/1.1\r\nHost: x\r\nX-").splitlines()[0]
    assert raw(hasty_server) == b""


def test_a_body_that_comes_in_drops_is_cut(hasty_server):
    """It is told so, and the session has nothing of it."""
    browser = Browser(hasty_server["http"])
    browser.shake_hands("localhost:18001")
    head = f"POST /tcp/{browser.key} HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n"
    answer = raw(hasty_server, head.encode(), b"11,1")
    assert answer.startswith(b"HTTP/1.1 408 Request Timeout\r\n")
    browser.send(b"and on")
    while not browser.received.endswith(b"and on"):
        browser.poll()


def test_a_browser_that_never_reads_is_cut(hasty_server):
    """Its answers fill the socket, then they wait; more of its requests are not begun."""
    request = b"GET /static/Orbited.js HTTP/1.1\r\nHost: x\r\n\r\n"
    with socket.socket() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.connect(("127.0.0.1", hasty_server["http"]))
        connection.setblocking(False)
        with contextlib.suppress(ConnectionError):  # cut already: this process was held up
            with contextlib.suppress(BlockingIOError):
                for _ in range(100_000):
                    connection.send(request * 100)
            poll = select.poll()
            poll.register(connection, 0)  # nothing but the end
            assert poll.poll(60_000) == [(connection.fileno(), select.POLLERR | select.POLLHUP)]


@pytest.mark.parametrize("digits", [20, 3900])
def test_a_length_beyond_all_measure_is_refused(server, digits):
    """Python does not read a number of some thousands of digits; nobody has to."""
    request = b"POST /tcp HTTP/1.1\r\nHost: x\r\nContent-Length: %b\r\n\r\n" % (b"9" * digits)
    assert b" 400 " in raw(server, request).splitlines()[0]


def test_a_head_that_is_too_large_is_refused(server):
    """One long header, or many."""
    long = b"GET /tcp HTTP/1.1\r\nHost: x\r\nX: %b\r\n\r\n" % (b"x" * 5000)
    many = b"GET /tcp HTTP/1.1\r\nHost: x\r\n%b\r\n" % (b"X: y\r\n" * 1000)
    for request in (long, many):
        assert b" 431 " in raw(server, request).splitlines()[0]


@pytest.mark.parametrize(
    "head",
    [
        b"Content-Length: 3\r\nTransfer-Encoding: chunked",
        b"Content-Length: 3\r\nContent-Length: 4",
        b"Content-Length: -1",
        b"Content-Length: +3",
        b"Transfer-Encoding: chunked, identity",
        b"Transfer-Encoding: \x0bchunked",
        b"No colon here",
    ],
)
def test_ambiguous_requests_are_refused(server, browser, head):
    """What two servers might read differently gets one 400, and the connection ends."""
    request = b"POST /tcp/%b HTTP/1.1\r\nHost: x\r\n%b\r\n\r\nabcGET /tcp HTTP/1.1\r\n\r\n"
    answer = raw(server, request % (browser.key.encode(), head))
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert answer.count(b"HTTP/1.1") == 1


def test_connections_are_kept_alive(server):
    """Several requests on one connection, also sent in one piece, are answered in order."""
    request = b"GET /tcp HTTP/1.1\r\nHost: x\r\n\r\n"
    with socket.create_connection(("127.0.0.1", server["http"]), 60) as connection:
        connection.sendall(request)
        first = connection.recv(65536)
        connection.sendall(request * 2)
        rest = b""
        while rest.count(b"Content-Length: 32") < 2 or len(rest) < 2 * len(first):
            rest += connection.recv(65536)
    assert rest.count(b"HTTP/1.1 200") == 2


def test_http_1_0_is_answered_without_chunks(server):
    """The response ends with the connection."""
    key = raw(server, b"GET /tcp HTTP/1.0\r\n\r\n").rpartition(b"\r\n")[2]
    answer = raw(server, b"GET /tcp/%b/longpoll HTTP/1.0\r\n\r\n" % key)
    assert b"chunked" not in answer
    assert answer.endswith(b"204,open")


def test_frames_may_come_with_the_request_for_a_websocket(server, browser):
    """What stands behind the head in one piece with it is not lost."""
    packets = RAW.encode([Packet(browser.next_id, DATA, b"early")])
    frame = b"\x82%c\0\0\0\0%b" % (0x80 | len(packets), packets)
    head = (
        f"GET /tcp/{browser.key}/websocket?ack=2 HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\n"
        "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", server["http"]), 60) as connection:
        connection.sendall(head.encode() + frame)
        received = b""
        while b"early" not in received:
            received += connection.recv(65536)
    assert received.startswith(b"HTTP/1.1 101 ")


def test_a_browser_that_goes_away_is_noticed_at_once(server, browser):
    """Whatever the transport, the session is without one a moment later."""
    for transport in ("xhrstream", "sse", "htmlfile"):
        browser.open(transport).close()
    browser.ack = 10
    request = f"GET /tcp/{browser.key}/longpoll?ack=10 HTTP/1.1\r\nHost: x\r\n\r\n"
    with socket.create_connection(("127.0.0.1", server["http"]), 60) as connection:
        connection.sendall(request.encode())
    with browser.socket():
        pass
    for _ in range(1000):
        with browser.request("GET", "/system/counters") as response:
            transports = json.loads(response.read())["transports"]
        if set(transports) <= {"none"}:
            break
    assert set(transports) <= {"none"}


def test_a_slow_reader_does_not_make_the_server_grow(server):
    """16 MiB for a browser that reads nothing: it is closed as too slow, and told so."""
    browser = Browser(server["http"])
    browser.create()
    browser.poll()
    browser.send(b"flood:1\n")
    with browser.open("longpoll") as response:
        names = {packet[1]: packet[-1] for packet in browser.take(response.read())}
    if b"close" not in names:
        names.update((packet[1], packet[-1]) for packet in browser.poll())
    assert names[b"close"] == b"slowConsumer"
    with browser.request("GET", "/system/counters") as response:
        assert json.loads(response.read())["queued_bytes"] == 0


def test_errors_show_nothing_of_the_inside(server):
    """No traceback, no path, no version of ours or of Python."""
    for request in (b"GET /tcp/%ff%fe/x HTTP/1.1\r\n\r\n", b"GET /tcp?ack=%00 HTTP/1.1\r\n\r\n"):
        with send(server["http"], request) as response:
            body = response.read()
            assert b"Traceback" not in body
            assert "server" not in response.headers


# -- static files -----------------------------------------------------------------------------


def get(server: dict[str, Any], path: str, **headers: str) -> Response:
    """One GET."""
    return Browser(server["http"]).request("GET", path, headers=headers)


@pytest.mark.parametrize("prefix", ["/static", "/tcp/static"])
def test_the_browser_half_is_served(server, prefix):
    """As JavaScript, under both names, not to be guessed at."""
    with get(server, f"{prefix}/Orbited.js") as response:
        assert response.status == 200
        assert response.headers["content-type"].startswith("text/javascript")
        assert response.headers["x-content-type-options"] == "nosniff"
        assert "access-control-allow-origin" not in response.headers


def test_modules_have_cors_for_listed_origins(server):
    """ES modules are fetched with CORS."""
    origin = "https://listed.example"
    with get(server, "/static/Orbited.js", Origin=origin) as response:
        assert response.headers["access-control-allow-origin"] == origin
    with get(server, "/static/Orbited.js", Origin="https://evil.example") as response:
        assert "access-control-allow-origin" not in response.headers


@pytest.mark.parametrize(
    "path",
    [
        "/static/",
        "/static",
        "/static/protocols/",
        "/static/../service.py",
        "/static/%2e%2e/service.py",
        "/static/..%2fservice.py",
        "/static/nothing.js",
    ],
)
def test_folders_are_not_listed_nor_left(server, path):
    """What is not a file of the folder is not found."""
    with get(server, path) as response:
        assert response.status in (301, 302, 404)
        assert b"Orbited.js" not in response.read()


# -- system -----------------------------------------------------------------------------------


def test_counters_and_health_are_json(server):
    """For those who run the server."""
    with get(server, "/system/counters") as response:
        counters = json.loads(response.read())
    assert counters["counters"]["sessions_opened"] >= 0
    with get(server, "/system/health") as response:
        assert json.loads(response.read())["status"] == "ok"
    with get(server, "/system") as response:
        assert response.headers["content-type"].startswith("text/html")


@pytest.mark.parametrize("name", ["X-Forwarded-For", "Forwarded", "X-Real-IP", "Via"])
def test_the_system_pages_are_not_for_those_outside(server, name):
    """A request that somebody has passed on comes from outside, whoever connects to us."""
    with get(server, "/system/counters", **{name: "192.0.2.1"}) as response:
        assert response.status == 404


def test_a_trusted_proxy_names_the_browser():
    """Then its address counts for limits and for the system pages, and its scheme for origins."""
    options = {
        "http": {"trusted_proxies": ["127.0.0.1"]},
        "limits": {"sessions_per_address": 1},
    }
    with serving(options) as server:

        def create(address: str) -> int:
            with get(server, "/tcp", **{"X-Forwarded-For": f"9.9.9.9, {address}"}) as response:
                return response.status

        assert [create("192.0.2.1"), create("192.0.2.1"), create("192.0.2.2")] == [200, 429, 200]
        with get(server, "/system", **{"X-Forwarded-For": "192.0.2.1"}) as response:
            assert response.status == 404
        with get(server, "/system", **{"X-Forwarded-For": "127.0.0.1"}) as response:
            assert response.status == 200
        browser = Browser(
            server["http"],
            headers={
                "Host": "127.0.0.1",
                "Origin": "https://127.0.0.1",
                "X-Forwarded-Proto": "https",
                "X-Forwarded-For": "192.0.2.3",
            },
        )
        browser.shake_hands("localhost:18001")


# -- stopping ---------------------------------------------------------------------------------


def test_sigterm_tells_browsers_and_ends():
    """Streams end properly with the reason, and the process is gone soon after."""
    with serving({"limits": {"drain_seconds": 30}}) as server:
        browser = Browser(server["http"])
        browser.shake_hands("localhost:18001")
        with browser.open("xhrstream") as stream:
            stream.read_some()
            server["process"].terminate()
            assert stream.read().endswith(b"goingAway")
        with browser.request("GET", "/tcp") as response:
            assert response.status == 503
        browser.ack += 1
        browser.post(b"")
        assert server["process"].wait(60) == 0
