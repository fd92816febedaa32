"""RFC 7692: permessage-deflate, as it is negotiated, sent, and defended against."""

import zlib

import pytest

from orbited.upgrade import WINDOW_BITS
from orbited.websocket import COMPRESSED_FROM_BYTES
from tests.support.websocket_frames import (
    BINARY,
    CLOSE,
    CONT,
    PING,
    PONG,
    TEXT,
    EchoPeer,
    Received,
    frame,
)

COMPRESSED = 4  # RSV1
LONG = b"all work and no play makes Jack a dull boy, " * 100


class Deflate:
    """A client's compressor and decompressor."""

    def __init__(self, window_bits=15):
        self._out = zlib.compressobj(wbits=-window_bits)
        self._in = zlib.decompressobj(wbits=-15)

    def compress(self, data):
        """A message's payload: without the four bytes that every flush ends with."""
        return (self._out.compress(data) + self._out.flush(zlib.Z_SYNC_FLUSH))[:-4]

    def decompress(self, data):
        """A message of a payload."""
        return self._in.decompress(data + b"\x00\x00\xff\xff")


def compressing(offer="permessage-deflate; client_max_window_bits", **options):
    """A server's end that compresses."""
    peer = EchoPeer(extensions=offer, compression=True, **options)
    assert peer.extensions.startswith("permessage-deflate")
    return peer


@pytest.mark.parametrize(
    ("offer", "agreed"),
    [
        ("permessage-deflate", "server_max_window_bits=12"),
        (
            "permessage-deflate; client_max_window_bits",
            "server_max_window_bits=12; client_max_window_bits=12",
        ),
        (
            "permessage-deflate; client_max_window_bits=10",
            "server_max_window_bits=12; client_max_window_bits=10",
        ),
        ("permessage-deflate; server_max_window_bits=9", "server_max_window_bits=9"),
        ("permessage-deflate; server_max_window_bits=15", "server_max_window_bits=12"),
        (
            "permessage-deflate; server_no_context_takeover",
            "server_no_context_takeover; server_max_window_bits=12",
        ),
        (
            "permessage-deflate; client_no_context_takeover",
            "client_no_context_takeover; server_max_window_bits=12",
        ),
        # the first offer that can be met is taken
        ("permessage-deflate; unheard_of, permessage-deflate", "server_max_window_bits=12"),
        ("x-webkit-deflate-frame, permessage-deflate", "server_max_window_bits=12"),
    ],
)
def test_what_is_agreed(offer, agreed):
    """7.1: the client's limits are kept, and none of ours is passed."""
    assert WINDOW_BITS == 12
    assert compressing(offer).extensions == f"permessage-deflate; {agreed}"


@pytest.mark.parametrize(
    "offer",
    [
        "",
        "permessage-bzip2",
        "permessage-deflate; unheard_of",
        "permessage-deflate; server_max_window_bits",
        "permessage-deflate; server_max_window_bits=16",
        "permessage-deflate; server_max_window_bits=7",
        "permessage-deflate; client_max_window_bits=16",
        "permessage-deflate; server_no_context_takeover=1",
        "permessage-deflate; client_no_context_takeover; client_no_context_takeover",
    ],
)
def test_what_is_declined(offer):
    """An offer that makes no sense is as good as none."""
    peer = EchoPeer(extensions=offer, compression=True)
    assert peer.extensions == ""
    peer.receive(frame(TEXT, LONG))
    assert peer.sent == [Received(TEXT, LONG)]


def test_it_is_off_unless_configured():
    """An offer is not answered then."""
    assert EchoPeer(extensions="permessage-deflate").extensions == ""


@pytest.mark.parametrize("cuts", [0, 1, 7])
def test_messages_both_ways(cuts):
    """Compressed, each with what was learned from those before; the second is nearly nothing."""
    peer, client = compressing(), Deflate(12)
    for _ in range(2):
        peer.receive(frame(TEXT, client.compress(LONG), reserved=COMPRESSED), cuts)
        peer.receive(frame(BINARY, client.compress(LONG), reserved=COMPRESSED), cuts)
    frames = peer.sent
    assert [(one.opcode, one.reserved) for one in frames] == [(TEXT, 4), (BINARY, 4)] * 2
    assert [client.decompress(one.payload) for one in frames] == [LONG] * 4
    assert len(frames[0].payload) < len(LONG) / 20
    assert len(frames[1].payload) < 50


def test_without_context_each_message_stands_alone():
    """7.1.1: what was agreed about forgetting is kept."""
    peer = compressing("permessage-deflate; server_no_context_takeover")
    peer.receive(frame(TEXT, LONG) * 2)
    first, second = (one.payload for one in peer.sent)
    assert first == second
    assert Deflate().decompress(second) == LONG


def test_short_messages_are_not_compressed():
    """6: any message may go as it is; these would hardly shrink."""
    peer = compressing()
    for size in (0, COMPRESSED_FROM_BYTES - 1, COMPRESSED_FROM_BYTES):
        peer.receive(frame(BINARY, b"x" * size))
    assert [one.reserved for one in peer.sent] == [0, 0, COMPRESSED]


def test_fragments():
    """6.1: the message is compressed and then cut; only the first frame is marked."""
    peer, client = compressing(), Deflate(12)
    payload = client.compress(LONG)
    peer.receive(frame(TEXT, payload[:20], reserved=COMPRESSED, fin=False))
    peer.receive(frame(PING, b"?"))
    peer.receive(frame(CONT, payload[20:40], fin=False) + frame(CONT, payload[40:]))
    pong, echo = peer.sent
    assert pong == Received(PONG, b"?")
    assert client.decompress(echo.payload) == LONG


def test_an_empty_message():
    """7.2.3.6: one byte is its shortest form."""
    peer = compressing()
    peer.receive(frame(TEXT, b"\x00", reserved=COMPRESSED))
    assert peer.messages == [(b"", True)]


def test_text_is_checked_after_it_is_decompressed():
    """What is not UTF-8 does not become so by being compressed."""
    peer, client = compressing(), Deflate(12)
    peer.receive(frame(TEXT, client.compress(b"\xff" * 300), reserved=COMPRESSED))
    assert (peer.messages, closed_with(peer)) == ([], 1007)


@pytest.mark.parametrize(
    "sent",
    [
        frame(PING, b"", reserved=COMPRESSED),
        frame(CLOSE, b"", reserved=COMPRESSED),
        frame(TEXT, b"a", fin=False) + frame(CONT, b"b", reserved=COMPRESSED),
        frame(TEXT, b"a", reserved=COMPRESSED | 2),
        frame(TEXT, b"a", reserved=1),
    ],
)
def test_a_mark_where_none_belongs(sent):
    """5.1 and 6: only the first frame of a message may be marked, by that bit alone."""
    peer = compressing()
    peer.receive(sent)
    assert (peer.messages, closed_with(peer)) == ([], 1002)


@pytest.mark.parametrize("garbage", [b"\xff" * 20, b"\x07", b"\x06garbage"])
def test_what_cannot_be_decompressed(garbage):
    """It ends the connection, and nothing of it is delivered."""
    peer = compressing()
    peer.receive(frame(BINARY, garbage, reserved=COMPRESSED))
    assert peer.messages == []
    assert closed_with(peer) in (1002, 1007)


@pytest.mark.parametrize("pieces", [1, 10])
def test_a_bomb(pieces):
    """The limit is on what comes out, in one frame or in many; it is never all unpacked."""
    peer, client = compressing(max_message_bytes=100_000), Deflate(12)
    bomb = client.compress(b"\0" * 50_000_000)
    size = len(bomb) // pieces + 1
    for number in range(pieces):
        peer.receive(
            frame(
                CONT if number else BINARY,
                bomb[number * size : (number + 1) * size],
                reserved=0 if number else COMPRESSED,
                fin=number == pieces - 1,
            )
        )
    assert (peer.messages, closed_with(peer)) == ([], 1009)


def test_an_answer_to_what_came_with_a_close():
    """It is sent, uncompressed, and the close behind it."""
    peer, client = compressing(), Deflate(12)
    message = frame(TEXT, client.compress(LONG), reserved=COMPRESSED)
    peer.receive(message + frame(CLOSE, b"\x03\xe8"))
    assert peer.sent == [Received(TEXT, LONG), Received(CLOSE, b"\x03\xe8")]


def closed_with(peer):
    """The code of the close frame that was sent."""
    last = peer.sent[-1]
    assert last.opcode == CLOSE
    return int.from_bytes(last.payload[:2], "big")
