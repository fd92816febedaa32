"""RFC 6455, section by section: what a client may send, and what it is answered.

Each case is bytes of a client and the frames that have to come back from an echo, which are the
same however the bytes were cut.
"""

import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orbited.websocket import CLOSE_SECONDS, FLUSH_SECONDS
from tests.support.websocket_frames import (
    BINARY,
    CLOSE,
    CONT,
    PING,
    PONG,
    TEXT,
    EchoPeer,
    Received,
    close,
    frame,
)

PROTOCOL_ERROR, INVALID_TEXT, TOO_BIG = 1002, 1007, 1009
LIMIT = 100_000
GREEK = "κόσμε".encode()


def fragments(opcode, *payloads):
    """One message in several frames."""
    last = len(payloads) - 1
    return b"".join(
        frame(CONT if number else opcode, payload, fin=number == last)
        for number, payload in enumerate(payloads)
    )


def one_by_one(opcode, payload):
    """One message with a byte in each frame."""
    return fragments(opcode, *(payload[i : i + 1] for i in range(len(payload))))


def text(payload):
    """What a text is answered with."""
    return Received(TEXT, payload)


def binary(payload):
    """What a binary message is answered with."""
    return Received(BINARY, payload)


SIZES = (0, 1, 124, 125, 126, 127, 128, 65_535, 65_536, LIMIT)

#: RFC 3629: the first and last character of each length, and what no text of Unicode is made of.
VALID_TEXTS = [
    text.encode()
    for text in (
        *("\0", "\x7f", "\x80", "\u07ff", "\u0800", "\uffff", "\U00010000", "\U0010ffff"),
        *("\ud7ff", "\ue000", "\ufffd", "\ufffe", "\ufdd0", "\ufeffBOM", "a\0b", "κόσμε"),
    )
]
INVALID_TEXTS = [
    b"\x80",  # a continuation of nothing
    b"\xbf\xbf",
    b"\xc0\x80",  # a longer form than needed
    b"\xc1\xbf",
    b"\xe0\x80\x80",
    b"\xe0\x9f\xbf",
    b"\xf0\x80\x80\x80",
    b"\xf0\x8f\xbf\xbf",
    b"\xed\xa0\x80",  # surrogates
    b"\xed\xbf\xbf",
    b"\xed\xa0\x80\xed\xb0\x80",
    b"\xf4\x90\x80\x80",  # beyond the last character
    b"\xf5\x80\x80\x80",
    b"\xf8\x88\x80\x80\x80",
    b"\xfc\x84\x80\x80\x80\x80",
    b"\xfe",
    b"\xff",
    b"\xc2",  # ends too early
    b"\xe2\x82",
    b"\xf0\x9f\x98",
    b"\xc2a",  # broken off
    GREEK + b"\xed\xa0\x80edited",
]

#: Name, bytes of the client, frames of the server; a number is a close frame with that code.
CASES = [
    # 5.2, framing
    *((f"text of {n}", frame(TEXT, b"x" * n), [text(b"x" * n)]) for n in SIZES),
    *((f"binary of {n}", frame(BINARY, b"\xfe" * n), [binary(b"\xfe" * n)]) for n in SIZES),
    # A client must not write its sizes in a longer form than needed. Reading them harms nobody.
    ("a size in two bytes", frame(TEXT, b"x", length_bytes=2), [text(b"x")]),
    ("a size in eight bytes", frame(TEXT, b"x", length_bytes=8), [text(b"x")]),
    ("two messages", frame(TEXT, b"a") + frame(BINARY, b"b"), [text(b"a"), binary(b"b")]),
    ("no mask", frame(TEXT, b"a", mask=None), PROTOCOL_ERROR),
    ("a ping without mask", frame(PING, b"a", mask=None), PROTOCOL_ERROR),
    ("a mask of zeros", frame(TEXT, b"abc", mask=b"\0\0\0\0"), [text(b"abc")]),
    ("a mask of ones", frame(TEXT, b"abc", mask=b"\xff" * 4), [text(b"abc")]),
    # 5.2, reserved bits and opcodes; what came before is answered first
    *(
        (f"reserved bits {bits} on opcode {opcode}", frame(opcode, b"", reserved=bits), 1002)
        for bits in range(1, 8)
        for opcode in (TEXT, BINARY, PING, PONG, CLOSE)
    ),
    *((f"opcode {code}", frame(code, b"a"), 1002) for code in (3, 4, 5, 6, 7, 11, 12, 13, 14, 15)),
    (
        "a message, then a reserved opcode",
        frame(TEXT, b"a") + frame(PING, b"?") + frame(3) + frame(PING, b"unread"),
        [text(b"a"), Received(PONG, b"?"), PROTOCOL_ERROR],
    ),
    # 5.4, fragmentation
    ("two fragments", fragments(TEXT, b"frag", b"ment"), [text(b"fragment")]),
    ("bytes for fragments", one_by_one(BINARY, bytes(range(256))), [binary(bytes(range(256)))]),
    ("empty fragments", fragments(TEXT, b"", b"a", b"", b""), [text(b"a")]),
    ("nothing in fragments", fragments(BINARY, b"", b"", b""), [binary(b"")]),
    (
        "pings between fragments",
        frame(PING, b"0")
        + frame(TEXT, b"a", fin=False)
        + frame(PING, b"1")
        + frame(CONT, b"b", fin=False)
        + frame(PING, b"2")
        + frame(CONT, b"c"),
        [Received(PONG, b"0"), Received(PONG, b"1"), Received(PONG, b"2"), text(b"abc")],
    ),
    ("a continuation of nothing", frame(CONT, b"a"), PROTOCOL_ERROR),
    ("an open continuation of nothing", frame(CONT, b"a", fin=False), PROTOCOL_ERROR),
    (
        "a continuation too many",
        fragments(TEXT, b"a", b"b") + frame(CONT, b"c"),
        [text(b"ab"), PROTOCOL_ERROR],
    ),
    (
        "a message within a message",
        frame(TEXT, b"a", fin=False) + frame(TEXT, b"b"),
        PROTOCOL_ERROR,
    ),
    (
        "a message begun within a message",
        frame(BINARY, b"a", fin=False) + frame(BINARY, b"b", fin=False),
        PROTOCOL_ERROR,
    ),
    ("a ping in fragments", frame(PING, b"a", fin=False) + frame(CONT, b"b"), PROTOCOL_ERROR),
    ("a pong in fragments", frame(PONG, b"a", fin=False), PROTOCOL_ERROR),
    ("a close in fragments", frame(CLOSE, b"", fin=False), PROTOCOL_ERROR),
    # 5.5.2 and 5.5.3, pings and pongs
    ("a ping", frame(PING), [Received(PONG, b"")]),
    ("a ping of 125", frame(PING, b"\xff" * 125), [Received(PONG, b"\xff" * 125)]),
    ("a ping of 126", frame(PING, b"x" * 126), PROTOCOL_ERROR),
    ("a pong", frame(PONG, b"unasked"), []),
    ("a pong of 126", frame(PONG, b"x" * 126), PROTOCOL_ERROR),
    (
        "ten pings",
        b"".join(frame(PING, b"%d" % n) for n in range(10)),
        [Received(PONG, b"%d" % n) for n in range(10)],
    ),
    # 5.5.1 and 7, closing
    ("close", close(), [Received(CLOSE, b"")]),
    ("close with a reason", close(1000, GREEK), [Received(CLOSE, b"\x03\xe8" + GREEK)]),
    (
        "close with the longest reason",
        close(1000, b"x" * 123),
        [Received(CLOSE, b"\x03\xe8" + b"x" * 123)],
    ),
    ("close with a longer reason", close(1000, b"x" * 124), PROTOCOL_ERROR),
    ("close with half a code", frame(CLOSE, b"\x03"), PROTOCOL_ERROR),
    ("close with a reason that is no text", close(1000, b"\xff"), INVALID_TEXT),
    (
        "whatever follows a close",
        frame(TEXT, b"a") + close(1000) + frame(PING, b"unread") + frame(3) + close(1001),
        [text(b"a"), 1000],
    ),
    ("close between fragments", frame(TEXT, b"a", fin=False) + close(1000), 1000),
    *(
        (f"close with {code}", close(code), code)
        for code in (1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014)
    ),
    *((f"close with {code}", close(code), code) for code in (3000, 3999, 4000, 4999)),
    *(
        (f"close with {code}", close(code), PROTOCOL_ERROR)
        for code in (0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65_535)
    ),
    # 8.1, text
    *((f"text {one!r}", frame(TEXT, one), [text(one)]) for one in VALID_TEXTS),
    *((f"text {one!r} in bytes", one_by_one(TEXT, one), [text(one)]) for one in VALID_TEXTS),
    *((f"not a text {one!r}", frame(TEXT, one), INVALID_TEXT) for one in INVALID_TEXTS),
    *((f"not a text {one!r} in bytes", one_by_one(TEXT, one), 1007) for one in INVALID_TEXTS),
    *((f"binary {one!r}", frame(BINARY, one), [binary(one)]) for one in INVALID_TEXTS),
    *(
        (f"text cut at {n}", fragments(TEXT, GREEK[:n], GREEK[n:]), [text(GREEK)])
        for n in range(len(GREEK) + 1)
    ),
    ("text in bytes", one_by_one(TEXT, GREEK), [text(GREEK)]),
    (
        "two texts cut in the middle of a character",
        frame(TEXT, GREEK[:1]) + frame(TEXT, GREEK[1:]),
        INVALID_TEXT,
    ),
    ("no text, before its end", frame(TEXT, b"\xed\xa0\x80", fin=False), INVALID_TEXT),
    (
        "no text, and a close",
        frame(TEXT, b"a") + frame(TEXT, b"\xff") + frame(TEXT, b"unread"),
        [text(b"a"), INVALID_TEXT],
    ),
    # limits
    ("one byte too many", frame(BINARY, b"x" * (LIMIT + 1)), TOO_BIG),
    ("one byte too many in fragments", fragments(TEXT, b"x" * LIMIT, b"x"), TOO_BIG),
    ("larger than anything", b"\x82\xff" + b"\x7f" + b"\xff" * 7 + b"\0\0\0\0", TOO_BIG),
]


def check(sent, expected, pieces):
    """An echo that gets these pieces answers as expected."""
    peer = EchoPeer(max_message_bytes=LIMIT)
    for piece in pieces:
        peer.receive(piece)
    wanted = expected if isinstance(expected, list) else [expected]
    frames = peer.sent
    assert len(frames) == len(wanted), frames
    for one, want in zip(frames, wanted, strict=True):
        if isinstance(want, int):
            assert (one.opcode, int.from_bytes(one.payload[:2], "big")) == (CLOSE, want)
        else:
            assert one == want
    assert peer.transport.disconnecting is any(one.opcode == CLOSE for one in frames)


def cut(data, size):
    """Pieces of that size."""
    return [data[start : start + size] for start in range(0, len(data), size)]


@pytest.mark.parametrize(
    ("sent", "expected"), [case[1:] for case in CASES], ids=[case[0] for case in CASES]
)
def test_case(sent, expected):
    """The answer is the same for the whole, for pieces of any size, and for two cut anywhere."""
    check(sent, expected, [sent])
    for size in (1, 2, 3) if len(sent) < 2000 else (1000,):
        check(sent, expected, cut(sent, size))
    for position in range(1, len(sent) if len(sent) < 60 else 0):
        check(sent, expected, [sent[:position], sent[position:]])


#: 7.4: the others are never sent.
SENDABLE_CODES = {*range(1000, 1015), *range(3000, 5000)} - {1004, 1005, 1006}

frames = st.builds(
    frame,
    st.integers(0, 15),
    st.binary(max_size=130),
    fin=st.booleans(),
    reserved=st.sampled_from([0, 0, 0, 4, 7]),
    mask=st.sampled_from([None, b"\0\0\0\0", b"mask", b"mask"]),
)


@settings(deadline=None)
@given(pieces=st.lists(st.one_of(frames, st.binary(max_size=50)), max_size=12), data=st.data())
def test_nothing_that_a_client_sends_is_our_failure(pieces, data):
    """Any frames and any bytes, cut anywhere, get whole frames back, and nothing behind a close."""
    for compression in (False, True):
        peer = EchoPeer(
            max_message_bytes=200, extensions="permessage-deflate", compression=compression
        )
        sent = b"".join(pieces)
        position = data.draw(st.integers(0, len(sent)))
        peer.receive(sent[:position])
        peer.receive(sent[position:])
        opcodes = [one.opcode for one in peer.sent]
        assert set(opcodes) <= {TEXT, BINARY, CLOSE, PONG}
        assert CLOSE not in opcodes[:-1]
        for one in peer.sent:
            code = int.from_bytes(one.payload[:2], "big")
            assert one.opcode != CLOSE or not one.payload or code in SENDABLE_CODES


def test_many_empty_fragments_cost_nothing():
    """A message of nothing, in ten thousand frames, does not grow while it is gathered."""
    peer = EchoPeer()
    peer.receive(frame(BINARY, b"", fin=False))
    empty = frame(CONT, b"", fin=False) * 100
    tracemalloc.start()
    try:
        peer.receive(empty)
        before, _ = tracemalloc.get_traced_memory()
        for _ in range(100):
            peer.receive(empty)
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert after - before < 10_000
    peer.receive(frame(CONT, b"end"))
    assert peer.messages == [(b"end", False)]


def test_pings_of_a_client_that_does_not_read():
    """They are not answered one by one; the last is, when it reads again (5.5.3)."""
    peer = EchoPeer()
    peer.transport.producer.pauseProducing()
    for number in range(10_000):
        peer.receive(frame(PING, b"%d" % number))
    assert peer.sent == []
    peer.transport.producer.resumeProducing()
    assert peer.sent == [Received(PONG, b"9999")]


def test_a_long_close_is_not_cut_short():
    """While the client still reads what came before, it is given more time to answer."""
    peer = EchoPeer()
    peer.transport.producer.pauseProducing()
    peer.connection.close(1000)
    peer.clock.advance(FLUSH_SECONDS - 1)
    peer.transport.producer.resumeProducing()
    peer.clock.advance(CLOSE_SECONDS - 0.1)
    assert not peer.transport.disconnected
    peer.clock.advance(0.2)
    assert peer.transport.disconnected


def test_a_close_that_nobody_reads_ends():
    """The time to read is bounded as well."""
    peer = EchoPeer()
    peer.transport.producer.pauseProducing()
    peer.connection.close(1000)
    peer.clock.advance(FLUSH_SECONDS)
    assert peer.transport.disconnected
