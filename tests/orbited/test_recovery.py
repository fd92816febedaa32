"""Nothing is lost, doubled or out of order while a session lives, whatever happens below it.

A back end sends 10,000 numbered lines to one client whose comet requests are cut in mid-stream
again and again: sockets dropped at a random byte, answers thrown away, transports changed.
"""

import itertools
import random
from collections.abc import Iterator
from typing import Any

import pytest

from orbited.errors import PacketError
from orbited.protocol.packets import ACK, RAW, Packet, PacketDecoder
from tests.support.comet import Browser, serving

pytestmark = pytest.mark.functional

MESSAGES = 10_000
CUTS = 100


@pytest.fixture(scope="module")
def server() -> Iterator[dict[str, Any]]:
    """A server with a source of numbers, in its process and over TCP."""
    with serving({"transports": {"stream_bytes": 200_000}}) as server:
        yield server


class Stream:
    """One response, read piece by piece."""

    def __init__(self, browser: Browser, transport: str) -> None:
        self.browser = browser
        self.response = browser.open(transport)
        assert self.response.status == 200
        self.decoder = PacketDecoder()
        self.is_at_start = True

    def read(self) -> bytes | None:
        """The next piece; None at the proper end, which is never inside a packet."""
        piece = self.response.read_some()
        if self.is_at_start:
            piece = piece.lstrip(b" x") or (piece and b"x")
            self.is_at_start = piece == b"x"
        if not piece:
            assert self.decoder.is_between_packets
        return piece or None

    def feed(self, piece: bytes) -> None:
        """Take the packets that are complete."""
        if piece == b"x":
            return
        self.decoder.receive_data(piece)
        for arguments in self.decoder.events_received():
            assert not isinstance(arguments, PacketError)
            self.browser.take_packet(arguments)

    def close(self) -> None:
        """Drop the connection."""
        self.response.close()


class SocketStream:
    """A WebSocket with the same methods; it acknowledges now and then."""

    def __init__(self, browser: Browser) -> None:
        self.browser = browser
        self.socket = browser.socket()
        self.messages = 0

    def read(self) -> bytes | None:
        """The next message."""
        return self.socket.receive()

    def feed(self, piece: bytes) -> None:
        """Take a message."""
        self.browser.take(piece, raw=True)
        self.messages += 1
        if self.messages % 16 == 0:
            self.socket.send(RAW.encode([Packet(0, ACK, b"%d" % self.browser.ack)]))

    def close(self) -> None:
        """Drop the connection."""
        self.socket.close()


class Cutter:
    """Reads a session over transports that it cuts."""

    def __init__(self, browser: Browser, transports: list[str], seed: int) -> None:
        self.browser = browser
        self.transports = itertools.cycle(transports)
        self.random = random.Random(seed)
        self.stream: Stream | SocketStream | None = None
        self.cuts = 0

    def _open(self) -> Stream | SocketStream:
        if self.stream is None:
            name = next(self.transports)
            is_socket = name == "websocket"
            self.stream = SocketStream(self.browser) if is_socket else Stream(self.browser, name)
        return self.stream

    def _close(self) -> None:
        if self.stream is not None:
            self.stream.close()
            self.stream = None

    def step(self) -> None:
        """Read one piece, or meet the end of a response."""
        piece = self._open().read()
        if piece is None:
            self._close()
        else:
            self._open().feed(piece)

    def read(self, goal: int) -> None:
        """Read until so many bytes of the application have come."""
        while len(self.browser.received) < goal:
            self.step()

    def cut(self, goal: int) -> None:
        """Read a little of what is coming, then drop the connection inside a piece of it."""
        for _ in range(self.random.randrange(3)):
            if len(self.browser.received) < goal:
                self.step()
        stream = self._open()
        piece = stream.read() if len(self.browser.received) < goal else None
        if piece is not None and isinstance(stream, Stream):
            stream.feed(piece[: self.random.randrange(len(piece) + 1)])
        self._close()
        self.cuts += 1


@pytest.mark.parametrize("back_end", ["in process", "over TCP"])
@pytest.mark.parametrize(
    "transports",
    [
        ["xhrstream"],
        ["longpoll"],
        ["websocket"],
        ["websocket", "xhrstream", "longpoll", "poll"],
    ],
    ids="-".join,
)
def test_numbers_arrive_once_and_in_order(server, transports, back_end):
    """10,000 lines in 100 batches, a request cut in each of them: all arrive, once, in order."""
    browser = Browser(server["http"])
    target = "numbers:1" if back_end == "in process" else f"127.0.0.1:{server['numbers']}"
    browser.shake_hands(target)
    cutter = Cutter(browser, transports, seed=len(back_end))
    expected = b""
    batch = MESSAGES // CUTS
    for first in range(0, MESSAGES, batch):
        browser.send(b"%d %d\n" % (first, batch))
        expected += b"".join(b"%d\n" % number for number in range(first, first + batch))
        cutter.cut(len(expected))
        cutter.read(len(expected))
    cutter._close()
    assert browser.received == expected
    assert cutter.cuts == CUTS


def test_posts_repeated_and_answers_lost_lose_nothing(server):
    """The same body comes up to three times, on connections that are cut: echoed once, in order."""
    browser = Browser(server["http"])
    browser.shake_hands("localhost:18001")
    chance = random.Random(1)
    expected = b""
    for number in range(300):
        line = b"%d\n" % number
        expected += line
        body = browser.packets(line)
        for _ in range(chance.randrange(3)):
            path = f"/tcp/{browser.key}?ack={browser.ack}"
            with browser.request("POST", path, body):
                pass  # the answer is lost
        assert browser.post(body) == (200, b"OK")
    while len(browser.received) < len(expected):
        browser.poll()
    assert browser.received == expected
