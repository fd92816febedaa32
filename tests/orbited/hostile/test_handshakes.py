"""First bytes that are no address, or none that may be connected to."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

import pytest

from tests.support.hostile import somebody

pytestmark = pytest.mark.functional


HANDSHAKES = {
    "nothing": b"\n",
    "no port": b"localhost\n",
    "empty port": b"localhost:\n",
    "no host": b":18001\n",
    "port 0": b"localhost:0\n",
    "port beyond": b"localhost:65536\n",
    "negative port": b"localhost:-18001\n",
    "signed port": b"localhost:+18001\n",
    "port with blank": b"localhost: 18001\n",
    "port in another script": "localhost:\u0661\u0668\u0660\u0660\u0661\n".encode(),
    "long port": b"localhost:000000000000018001\n",
    "two ports": b"localhost:18001:18001\n",
    "nul": b"localhost\0:18001\n",
    "nul behind": b"localhost:18001\0\n",
    "carriage return inside": b"local\rhost:18001\n",
    "blank inside": b"local host:18001\n",
    "not UTF-8": b"\xff\xfe:18001\n",
    "escape sequence": b"\x1b[2Jlocalhost:18001\n",
    "right to left": "\u202elocalhost:18001\n".encode(),
    "open bracket": b"[::1\n",
    "bracket without port": b"[::1]:\n",
    "empty bracket": b"[]:18001\n",
    "host of 100 kB": b"x" * 100_000 + b":18001\n",
    "100 kB without an end": b"localhost" * 11_000,
    "an HTTP request": b"GET / HTTP/1.1\r\nHost: localhost:18001\r\n\r\n",
}

FORBIDDEN = {
    "another port": b"localhost:22\n",
    "a user": b"user@localhost:18001\n",
    "another spelling": b"LOCALHOST:18001\n",
    "a dot behind": b"localhost.:18001\n",
    "the address of the name": b"127.0.0.1:18001\n",
    "a short address": b"127.1:18001\n",
    "an address as a number": b"2130706433:18001\n",
    "an address in hexadecimal": b"0x7f000001:18001\n",
    "an address of version 6": b"[::ffff:127.0.0.1]:18001\n",
    "a wildcard": b"*:18001\n",
    "a path": b"localhost/:18001\n",
    "a look-alike": "l\u043ecalhost:18001\n".encode(),
    "everywhere": b"0.0.0.0:18001\n",
}


@pytest.mark.parametrize(
    ("line", "code"),
    [
        *(pytest.param(line, b"0102", id=name) for name, line in HANDSHAKES.items()),
        *(pytest.param(line, b"0106", id=name) for name, line in FORBIDDEN.items()),
    ],
)
def test_handshakes(server: dict[str, Any], line: bytes, code: bytes) -> None:
    """Only an address that stands in the list, as it stands there, is connected to."""
    browser = somebody(server)
    browser.create()
    browser.poll()
    browser.send(line)
    packets = [packet[1:] for packet in browser.poll()]
    assert packets == [(b"data", b64encode(code)), (b"close", b"loseConnection")]
    assert browser.post(browser.packets(b"on we go"))[0] in (200, 404)
    with browser.open("longpoll") as response:
        assert response.status == 404


def test_more_than_may_wait_for_the_handshake(server: dict[str, Any]) -> None:
    """Bytes that come with the line, or before the answer, are bounded."""
    browser = somebody(server)
    browser.create()
    browser.poll()
    browser.send(b"localhost:18001\n" + b"x" * 300_000)
    assert [packet[1] for packet in browser.poll()][-1] == b"close"
