"""WebSocket frames that break the rules of RFC 6455, or of what is in them."""

from __future__ import annotations

import struct
from typing import Any

import pytest
from websockets.exceptions import InvalidStatus

from tests.support.hostile import echoing, send_garbage_frames, somebody, still_echoes

pytestmark = pytest.mark.functional


def frame(first: int, payload: bytes, *, mask: bytes | None = b"\0\0\0\0") -> bytes:
    """One WebSocket frame, with whatever stands in its first byte."""
    bit = 0x80 if mask is not None else 0
    size = len(payload)
    if size < 126:
        head = bytes([first, bit | size])
    elif size < 65536:
        head = bytes([first, bit | 126]) + struct.pack("!H", size)
    else:
        head = bytes([first, bit | 127]) + struct.pack("!Q", size)
    return head + (mask or b"") + payload


FRAMES = {
    "text": (frame(0x81, b"11,2"), 1003),
    "not packets": (frame(0x82, b"garbage"), 1007),
    "half a packet": (frame(0x82, b"11,214,da"), 1007),
    "without a mask": (frame(0x82, b"", mask=None), 1002),
    "reserved bits": (frame(0xF2, b""), 1002),
    "reserved opcode": (frame(0x83, b""), 1002),
    "long ping": (frame(0x89, b"x" * 126), 1002),
    "ping in parts": (frame(0x09, b""), 1002),
    "nothing to go on with": (frame(0x80, b""), 1002),
    "close of one byte": (frame(0x88, b"x"), 1002),
    "close with a forbidden code": (frame(0x88, b"\x03\xed"), 1002),
    "too large": (frame(0x82, b"x" * 126)[:1] + b"\xff" + struct.pack("!Q", 1 << 40), 1009),
    "too large for any number": (b"\x82\xff" + b"\xff" * 8, 1009),
    "too large in parts": (
        frame(0x02, b"x" * 65535) + frame(0x00, b"x" * 65535) * 15 + frame(0x80, b"x" * 100),
        1009,
    ),
}


@pytest.mark.parametrize("name", FRAMES)
def test_websocket_frames(server: dict[str, Any], name: str) -> None:
    """Each is answered with its close code, and the session goes on by other ways."""
    data, code = FRAMES[name]
    browser = echoing(server)
    with browser.socket() as opened:
        try:
            opened.connection.sendall(data)
            while opened.receive() is not None:
                pass
        except (BrokenPipeError, ConnectionResetError):
            pytest.fail("the close frame was lost")
        assert opened.close_code == code
    still_echoes(browser)


def test_a_websocket_for_nobody(server: dict[str, Any]) -> None:
    """Without a session there is no upgrade."""
    browser = somebody(server)
    browser.key = "0" * 32
    with pytest.raises(InvalidStatus, match="404"):
        browser.socket()


def test_garbage_behind_an_upgrade(server: dict[str, Any]) -> None:
    """Bytes that are no frames end that connection, and nothing else."""
    send_garbage_frames(server)
