"""Behind nginx: with the configuration of the documentation, and with one that knows nothing of us.

Heartbeats are a minute apart here, so that a byte which arrives was not pushed through a buffer by
one that came behind it.
"""

from __future__ import annotations

import json
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from websockets.exceptions import InvalidStatus

from tests.support.comet import Browser, Response, Socket, connect, decode, send, serving
from tests.support.nginx import MISSING, NGINX, OPENSSL, DocumentedNginx, Nginx
from tests.support.ports import free_port

pytestmark = [
    pytest.mark.functional,
    pytest.mark.skipif(NGINX is None or OPENSSL is None, reason=MISSING),
]

QUIET = {"heartbeat_seconds": 60, "sse_heartbeat_seconds": 60, "longpoll_seconds": 60}
STREAMS = ["xhrstream", "sse", "htmlfile"]
SECONDS = 60
PER_ADDRESS = 100


@pytest.fixture(scope="module")
def orbited() -> Iterator[dict[str, Any]]:
    """A server that trusts its proxy, and has a bound for each address."""
    options = {
        "transports": QUIET,
        "http": {"trusted_proxies": ["127.0.0.1"]},
        "system": {"allow": ["*"]},
        "limits": {"sessions_per_address": PER_ADDRESS},
        "session": {"unused_timeout": 300},
    }
    with serving(options) as server:
        yield server


@pytest.fixture(scope="module")
def nginx(
    orbited: dict[str, Any], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[DocumentedNginx]:
    """nginx as the documentation has it, in front of that server."""
    with DocumentedNginx(tmp_path_factory.mktemp("nginx"), orbited["http"]) as nginx:
        yield nginx


@pytest.fixture
def visit(nginx: DocumentedNginx) -> Callable[..., Browser]:
    """Makes a browser that comes by HTTPS, from a page of that very site."""

    def make(**how: Any) -> Browser:
        name = f"localhost:{nginx.port}"
        headers = {"Host": name, "Origin": f"https://{name}", "Accept-Encoding": "identity"}
        return Browser(nginx.port, headers=headers, context=nginx.context, **how)

    return make


def is_open(orbited: dict[str, Any], name: str) -> bool:
    """Whether the server has a transport of that name open; it is asked without nginx."""
    with Browser(orbited["http"]).request("GET", "/system/counters") as response:
        return name in json.loads(response.read())["transports"]


def until(condition: Callable[[], bool]) -> None:
    """Wait for something that happens in another process."""
    deadline = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def read_until(response: Response, text: bytes) -> bytes:
    """Read a stream up to a text; a time-out of the connection fails the test."""
    body = b""
    while text not in body:
        piece = response.read_some()
        assert piece, body
        body += piece
    return body


# -- with the configuration of the documentation --------------------------------------------------


@pytest.mark.parametrize("name", STREAMS)
def test_a_stream_is_not_held_back(visit: Callable[..., Browser], name: str) -> None:
    """Each message arrives while the response goes on, however small it is."""
    browser = visit()
    browser.shake_hands("localhost:18001")
    with browser.open(name, {"Accept": "text/event-stream"}) as stream:
        assert stream.status == 200
        for message, text in ((b"one", b"b25l"), (b"two", b"dHdv"), (b"six", b"c2l4")):
            browser.send(message)
            read_until(stream, text)


def test_a_stream_to_a_browser_that_takes_gzip(visit: Callable[..., Browser]) -> None:
    """Compression, where the machine has it on, flushes each message."""
    browser = visit()
    browser.shake_hands("localhost:18001")
    with browser.open("htmlfile", {"Accept-Encoding": "gzip"}) as stream:
        assert stream.headers["content-encoding"] == "gzip"
        inflate = zlib.decompressobj(31)
        for message, text in ((b"one", b"b25l"), (b"two", b"dHdv")):
            browser.send(message)
            plain = b""
            while text not in plain:
                piece = stream.read_some()
                assert piece
                plain += inflate.decompress(piece)


@pytest.mark.parametrize("name", ["longpoll", "poll"])
def test_polls(visit: Callable[..., Browser], name: str) -> None:
    """Echo by one response after the other."""
    browser = visit()
    browser.shake_hands("localhost:18001")
    for number in range(5):
        browser.send(b"message %d." % number)
        while not browser.received.endswith(b"%d." % number):
            with browser.open(name) as response:
                assert response.status == 200
                browser.take(response.read())
    assert browser.received == b"".join(b"message %d." % number for number in range(5))


def test_websocket(visit: Callable[..., Browser]) -> None:
    """The upgrade passes, and messages of any size both ways."""
    browser = visit()
    browser.create()
    text = b"x" * 300_000
    with browser.socket() as socket:
        socket.send(b"11,114,data016,localhost:18001\n")
        while b"1" not in browser.received:
            browser.take(socket.receive() or b"", raw=True)
        browser.received = b""
        socket.send(b"11,214,data0300000," + text)
        while len(browser.received) < len(text):
            for packet in decode(socket.receive() or b""):
                if packet[1] != b"ack":
                    browser.take_packet(packet, raw=True)
    assert browser.received == text


def test_a_websocket_without_a_session(visit: Callable[..., Browser]) -> None:
    """The bridge for other libraries passes as well, under the same access list."""
    browser = visit()
    with Socket(browser.port, "/ws/localhost:18001", browser.headers, **browser.how) as opened:
        opened.send(b"bytes, as they are")
        assert opened.receive() == b"bytes, as they are"
    with pytest.raises(InvalidStatus, match="403"):
        Socket(browser.port, "/ws/localhost:22", browser.headers, **browser.how)


@pytest.mark.parametrize("name", [*STREAMS, "longpoll", "websocket"])
def test_a_cut_is_noticed(
    orbited: dict[str, Any], visit: Callable[..., Browser], name: str
) -> None:
    """A browser that goes away leaves no open transport behind, although nginx stays."""
    until(lambda: not is_open(orbited, name))
    browser = visit()
    browser.shake_hands("localhost:18001")
    opened: Any
    if name == "websocket":
        opened = browser.socket()
    else:  # a held poll has no answer yet, so none is read
        opened = connect(browser.port, **browser.how)
        path, host = f"/tcp/{browser.key}/{name}?ack={browser.ack}", browser.headers["Host"]
        opened.sendall(f"GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
    until(lambda: is_open(orbited, name))
    opened.close()
    until(lambda: not is_open(orbited, name))


def test_a_server_that_cuts_is_noticed(visit: Callable[..., Browser]) -> None:
    """What the back end says last arrives, and then the end of the stream."""
    browser = visit()
    browser.create()
    with browser.open("xhrstream") as stream:
        read_until(stream, b"open")
        browser.send(b"localhost:18003\n")
        assert b"loseConnection" in stream.read()


def test_a_large_post(visit: Callable[..., Browser]) -> None:
    """Megabytes pass as long as Orbited takes them, and its own refusal arrives beyond that."""
    browser = visit()
    browser.shake_hands("localhost:18001")
    text = bytes(range(256)) * 10_000
    # The echo comes down meanwhile, as it does in a page: a POST is held while too much waits.
    posting = threading.Thread(target=browser.send, args=(text,))
    posting.start()
    while len(browser.received) < len(text):
        browser.poll()
    posting.join()
    assert browser.received == text
    with browser.request("POST", f"/tcp/{browser.key}", b"x" * (5 << 20)) as response:
        assert response.status == 413
    browser.send(b"still there")


def test_the_access_list_holds(visit: Callable[..., Browser]) -> None:
    """The page's own origin is known behind TLS; another one, or the same without TLS, is not."""
    browser = visit()
    browser.shake_hands("localhost:18001")
    for origin in ("https://evil.example", f"http://{browser.headers['Host']}", "null"):
        with browser.request(
            "POST", f"/tcp/{browser.key}", browser.packets(b"x"), {"Origin": origin}
        ) as response:
            assert response.status == 403, origin
    stranger = visit()
    stranger.headers["Origin"] = "https://evil.example"
    stranger.key = browser.key
    with pytest.raises(InvalidStatus):
        stranger.socket()


def test_browsers_are_counted_one_by_one(nginx: DocumentedNginx, visit: Any) -> None:
    """One address that has all its sessions does not stop another, nor can it take its name."""
    for _ in range(PER_ADDRESS):
        visit(source="127.0.0.2").create()
    greedy = visit(source="127.0.0.2")
    with greedy.request("GET", "/tcp", headers={"X-Forwarded-For": "192.0.2.1"}) as response:
        assert response.status == 429
    visit(source="127.0.0.3").create()


def test_plain_http_leads_to_https(nginx: DocumentedNginx) -> None:
    """By a redirection to the same page."""
    request = b"GET /thywill/init/?a=b HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    with send(nginx.plain_port, request) as response:
        assert response.status == 301
        assert response.headers["location"] == "https://localhost/thywill/init/?a=b"


# -- with a proxy that knows nothing of us --------------------------------------------------------

BARE = """
    server {{
        listen 127.0.0.1:{port};
        location / {{
            proxy_pass http://127.0.0.1:{site_port};
        }}
    }}
"""


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """Port of nothing but ``proxy_pass``: HTTP/1.0 to the server, another Host, no upgrade."""
    port = free_port()
    origin = f"http://127.0.0.1:{port}"
    with (
        serving({"transports": QUIET, "access": [f"{origin} -> localhost:18001"]}) as server,
        Nginx(
            tmp_path_factory.mktemp("bare"),
            BARE.format(port=port, site_port=server["http"]),
            port,
        ),
    ):
        yield port


def from_listed_page(port: int) -> Browser:
    """A browser with a page from there."""
    name = f"127.0.0.1:{port}"
    return Browser(port, headers={"Host": name, "Origin": f"http://{name}"})


def test_without_upgrade_there_is_no_websocket(bare: int) -> None:
    """It is refused with a status, so that the page goes on to the next transport at once."""
    browser = from_listed_page(bare)
    browser.create()
    with pytest.raises(InvalidStatus):
        browser.socket()
    with browser.open("longpoll") as response:
        assert response.status == 200


@pytest.mark.parametrize("name", STREAMS)
def test_streams_pass_a_bare_proxy(bare: int, name: str) -> None:
    """Over HTTP/1.0 too, by the header that every answer of ours has."""
    browser = from_listed_page(bare)
    browser.shake_hands("localhost:18001")
    with browser.open(name, {"Accept": "text/event-stream"}) as stream:
        browser.send(b"one")
        read_until(stream, b"b25l")
        browser.send(b"two")
        read_until(stream, b"dHdv")
