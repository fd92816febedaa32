"""Plain heads: what takes the short cut, and that what is remembered is bounded."""

import pytest

from stompservice.protocol import FrameParser
from stompservice.protocol.plain import (
    KNOWN_HEADS,
    NOT_PLAIN,
    PLAIN_HEAD_BYTES,
    UNKNOWN,
    head_of_send,
    plain_head,
)


@pytest.mark.parametrize("version", ["1.0", "1.1", "1.2"])
def test_plain(version):
    """Command, headers and length of a head that means the same in every version."""
    head = b"SEND\ndestination:/topic/a:b\ncontent-length:5"
    headers = {"destination": "/topic/a:b", "content-length": "5"}
    assert plain_head(head, version) == ("SEND", headers, 5)
    assert plain_head(b"BEGIN", version) == ("BEGIN", {}, UNKNOWN)


@pytest.mark.parametrize(
    "head",
    [
        b"CONNECT\naccept-version:1.2",
        b"send\na:b",
        b"",
        b"SEND\nno colon",
        b"SEND\n:value",
        b"SEND\n \t:value",
        b"SEND\na:b\na:c",
        b"SEND\na:\\t",
        b"SEND\na:\\",
        b"SEND\na\\\\b:c\na\\\\b:d",
        b"SEND\na:b\r",
        b"SEND\na:\0",
        b"SEND\ncontent-length:+5",
        b"SEND\ncontent-length:" + b"1" * 19,
        "SEND\ncontent-length:\N{ARABIC-INDIC DIGIT FIVE}".encode(),
    ],
)
def test_not_plain(head):
    """Whatever is wrong, or read differently by some version, is left to the careful reader."""
    assert plain_head(head, "1.2") is NOT_PLAIN


def test_escapes_are_plain_where_they_mean_something():
    """Names and values are unescaped by the rules of their version; 1.0 has none."""
    head = b"MESSAGE\nchannel:a\\cb\nc\\\\d:e\\nf"
    headers = {"channel": "a:b", "c\\d": "e\nf"}
    for version in ("1.1", "1.2"):
        assert plain_head(head, version) == ("MESSAGE", headers, UNKNOWN)
    assert plain_head(head, "1.0") is NOT_PLAIN
    assert plain_head(b"SEND\na:\\r", "1.1") is NOT_PLAIN
    assert plain_head(b"SEND\na:\\r", "1.2")[1] == {"a": "\r"}


def test_blanks_are_plain_where_they_are_not_stripped():
    """Blanks around a header belong to it, except in 1.0."""
    assert plain_head(b"SEND\na: b", "1.0") is NOT_PLAIN
    assert plain_head(b"SEND\na: b", "1.1")[1] == {"a": " b"}


def test_what_is_remembered_is_bounded():
    """Ever new heads, and long ones, do not fill the memory."""
    parser = FrameParser()
    for number in range(2 * KNOWN_HEADS):
        parser.receive_data(b"SEND\na:%d\n\n\0" % number)
        assert [frame.headers for frame in parser.events_received()] == [{"a": str(number)}]
    before = head_of_send.cache_info()
    assert before.currsize == KNOWN_HEADS
    parser.receive_data(b"SEND\na:" + b"x" * PLAIN_HEAD_BYTES + b"\n\n\0")
    assert len(list(parser.events_received())) == 1
    assert head_of_send.cache_info() == before
