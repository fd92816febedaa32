"""What hostile browsers are made of: sessions on a real server, and packets of any shape."""

from __future__ import annotations

import json
import random
import socket
from typing import Any

from tests.support.comet import Browser, connect

SECONDS = 60
CROWD = 1500

#: Bounds that are soon reached. Sessions wait longer than any of these tests takes: on a busy
#: machine a browser may be still for seconds, and is served all the same.
OPTIONS: dict[str, dict[str, Any]] = {
    "session": {
        "unused_timeout": 300,
        "close_timeout": 1,
        "pause_bytes": 1 << 14,
        "queued_bytes": 1 << 20,
        "unacknowledged_bytes": 1 << 20,
    },
    "limits": {"sessions_per_address": CROWD, "post_bytes": 1 << 20, "argument_bytes": 1 << 19},
}


def somebody(server: dict[str, Any], source: str = "127.0.0.2") -> Browser:
    """A browser at an address that is not the companion's."""
    return Browser(server["http"], source=source)


def echoing(server: dict[str, Any]) -> Browser:
    """A browser with a session that the echo is behind."""
    browser = somebody(server)
    browser.shake_hands("localhost:18001")
    return browser


def still_echoes(browser: Browser, text: bytes = b"still here") -> None:
    """The session goes on: what it says now comes back, and nothing else."""
    browser.received = b""
    browser.send(text)
    while len(browser.received) < len(text):
        browser.poll()
    assert browser.received == text


def argument(flag: bytes, text: bytes) -> bytes:
    """One argument, as it should be."""
    return b"%b%d,%b" % (flag, len(text), text)


def packet(*arguments: bytes) -> bytes:
    """One packet in the text framing, whatever its arguments are."""
    flags = [b"1"] * (len(arguments) - 1) + [b"0"]
    return b"".join(map(argument, flags, arguments))


def ask(server: dict[str, Any], path: str) -> dict[str, Any]:
    """What the server says of itself."""
    with Browser(server["http"]).request("GET", path) as response:
        return dict(json.loads(response.read()))


def leave_unread(server: dict[str, Any]) -> list[socket.socket]:
    """Open transports that a back end sends 16 MiB to, and read none of them."""
    crowd = []
    for name in ["xhrstream", "sse", "htmlfile", "longpoll", "websocket"] * 4:
        browser = somebody(server)
        browser.create()
        browser.poll()
        browser.send(b"flood:1\n")
        if name == "websocket":
            crowd.append(browser.socket().connection)
        else:
            connection = connect(server["http"], source="127.0.0.2")
            path = f"/tcp/{browser.key}/{name}"
            connection.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
            crowd.append(connection)
    return crowd


def send_garbage_frames(server: dict[str, Any]) -> None:
    """Upgrade to WebSocket, and send bytes that are no frames, until the server ends that."""
    chance = random.Random(2010)
    for _ in range(50):
        browser = somebody(server)
        browser.create()
        with browser.socket() as opened:
            opened.connection.settimeout(SECONDS)
            try:
                opened.connection.sendall(chance.randbytes(chance.randrange(1, 2000)))
                opened.connection.shutdown(socket.SHUT_WR)
                while opened.connection.recv(65536):
                    pass
            except OSError:
                pass
