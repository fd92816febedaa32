"""What a browser costs that has a session and a subscription, and to whom nothing happens.

Sizes are those of the objects, which are the same in each run: what a process takes beyond that is
measured by ``./run bench`` (workload C).
"""

import gc
import json
import socket
import subprocess
import sys
from base64 import b64encode
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from twisted.internet.epollreactor import EPollReactor
from twisted.web.resource import Resource

from morbid.server import StompFactory
from orbited.service import embedded
from tests.support.websocket_frames import BINARY, frame

ROOT = Path(__file__).parents[2]

#: Of a connection, with all that belongs to no other. It was 3,290 over WebSocket, and up to
#: 3,660 over the others, when it was last counted.
MOST_BYTES = {"websocket": 3500, "xhrstream": 3900, "sse": 3900, "longpoll": 3900}

#: Of a poll within its first second, when it was 3,990.
MOST_BYTES_BEFORE = 4200

#: So many come before anybody is measured: an object has less room for attributes that nobody
#: has used by then.
BEFORE, COUNT = 40, 20

#: Longer than it takes until a poll counts as one that lasts.
SETTLED_SECONDS = 3.0

CONNECT = b"CONNECT\naccept-version:1.2\nhost:site\nlogin:page\npasscode:secret\n\n\0"
SUBSCRIBE = b"SUBSCRIBE\nid:0\ndestination:/topic/news\n\n\0"
TALK = ((b"broker:1\n", b"1"), (CONNECT, b"CONNECTED"), (SUBSCRIBE, b""))


class Server:
    """Orbited with a broker, on a reactor of its own that turns when it is told to."""

    def __init__(self) -> None:
        self.reactor: Any = EPollReactor()
        self.kinds: Counter[str] = Counter()  # what was measured last, by type
        self._ahead = 0.0
        seconds = self.reactor.seconds
        self.reactor.seconds = lambda: seconds() + self._ahead
        broker = StompFactory(clock=self.reactor)
        options = {"access": ["* -> broker:1"], "limits": {"sessions_per_address": 1000}}
        comet = embedded(options, {("broker", 1): broker}, self.reactor)
        self.sessions = comet._comet.tcp.connections
        self._listening = self.reactor.listenTCP(
            0, comet.site(Resource(), "/"), interface="127.0.0.1"
        )
        self._port = self._listening.getHost().port
        self._sockets: list[socket.socket] = []

    def close(self) -> None:
        """Leave no descriptor open."""
        for each in self._sockets:
            each.close()
        self._listening.stopListening()
        self.turn_until(lambda: len(self.reactor.getReaders()) <= 1)  # what wakes it
        for each in self.reactor.removeAll():
            each.connectionLost(None)

    def turn_until(self, is_done: Callable[[], object]) -> None:
        """Let the reactor work."""
        for _ in range(10_000):
            if is_done():
                return
            self.reactor.iterate(0.001)
        raise AssertionError("the server does not get there")

    def pass_time(self, seconds: float) -> None:
        """Let what falls due meanwhile happen."""
        self._ahead += seconds
        for _ in range(5):
            self.reactor.iterate(0)

    def connect(self) -> socket.socket:
        """Have a connection that does not block."""
        connection = socket.create_connection(("127.0.0.1", self._port))
        connection.setblocking(False)
        self._sockets.append(connection)
        return connection

    def ask(self, connection: socket.socket, request: bytes, until: bytes) -> bytes:
        """Send something; gives what comes up to these bytes, and with them."""
        connection.send(request)
        received = b""

        def has_come() -> bool:
            nonlocal received
            try:
                received += connection.recv(65536)
            except BlockingIOError:
                pass
            return until in received

        self.turn_until(has_come)
        return received

    def open(self, transport: str) -> None:
        """Have one more browser, which is subscribed, and whose transport has nothing to say."""
        up = self.connect()
        key = self.ask(up, b"GET /tcp HTTP/1.1\r\nHost: localhost\r\n\r\n", b"\r\n\r\n").split()[-1]
        path, down = b"/tcp/%b" % key, self.connect()
        if transport == "websocket":
            self._talk_over_websocket(down, path)
        else:
            self._talk_over_http(up, down, path, transport)
        self._sockets.remove(up)
        up.close()
        session = self.sessions[key.decode()]
        self.turn_until(lambda: session.transport_name == transport and session.core.is_quiet)

    def _talk_over_websocket(self, connection: socket.socket, path: bytes) -> None:
        line = b"GET %b/websocket HTTP/1.1\r\nHost: localhost\r\n" % path
        upgrade = b"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
        nonce = b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
        self.ask(connection, line + upgrade + nonce, b"open")
        for number, (data, answer) in enumerate(TALK, 1):
            packet = b"11,%d14,data0%d,%b" % (number, len(data), data)
            self.ask(connection, frame(BINARY, packet), answer)

    def _talk_over_http(
        self, up: socket.socket, down: socket.socket, path: bytes, transport: str
    ) -> None:
        accept = b"Accept: text/event-stream\r\n" if transport == "sse" else b""
        opening = b"GET %b/%b?ack=%%d HTTP/1.1\r\nHost: localhost\r\n%b\r\n" % (
            path,
            transport.encode(),
            accept,
        )
        self.ask(down, opening % 0, b"open")
        for number, (data, answer) in enumerate(TALK, 1):
            encoded = b64encode(data)
            body = b"11,%d14,data0%d,%b" % (number, len(encoded), encoded)
            head = b"POST %b?ack=%d HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n"
            self.ask(up, head % (path, number + 1, len(body)) + body, b"OK")
            again = opening % (number + 1) if transport == "longpoll" else b""
            self.ask(down, again, b"data" if answer else b"")

    @property
    def objects(self) -> list[Any]:
        """Everything that the collector sees; none of it ends, and gives its place to another."""
        gc.collect()
        return gc.get_objects()

    def bytes_of(self, new: list[Any], old: list[Any]) -> int:
        """What these take, with all that they hold and that was not there before."""
        waiting, seen, total = list(new), {id(each) for each in (*old, *new)}, 0
        self.kinds.clear()
        while waiting:
            each = waiting.pop()
            total += _size(each)
            self.kinds[type(each).__name__] += _size(each)
            for held in gc.get_referents(each):
                if id(held) not in seen:
                    seen.add(id(held))
                    waiting.append(held)
        return total


def _size(each: object) -> int:
    """Bytes of one object; attributes without slots stand in an array that is not its own."""
    size, kind = sys.getsizeof(each), type(each)
    if kind.__dictoffset__:
        slots = sum(len(vars(base).get("__slots__", ())) for base in kind.__mro__)
        size += 16 + 8 * max(0, len(gc.get_referents(each)) - slots)
    return size


@pytest.fixture(scope="module")
def measured() -> dict[str, Any]:
    """What a new process says: how Python keeps attributes depends on all that a process did."""
    program = [sys.executable, "-m", __name__]
    done = subprocess.run(program, cwd=ROOT, check=True, capture_output=True, timeout=60)
    told: dict[str, Any] = json.loads(done.stdout)
    return told


@pytest.mark.parametrize("transport", MOST_BYTES)
def test_an_idle_connection_is_small(measured: dict[str, Any], transport: str) -> None:
    """Session, transport, the way to the broker, its session and subscription: all of it."""
    size, kinds = measured[transport]
    assert MOST_BYTES[transport] / 2 < size < MOST_BYTES[transport], kinds


def test_a_poll_that_is_expected_to_come_again_is_nearly_as_small(
    measured: dict[str, Any],
) -> None:
    """What many browsers open at once adds up, although it is given up after a second."""
    size, kinds = measured["longpoll at once"]
    assert size < MOST_BYTES_BEFORE, kinds


def size_of(server: Server, transport: str, idle_seconds: float) -> float:
    """Bytes of one browser."""
    for _ in range(BEFORE):
        server.open(transport)
    server.pass_time(idle_seconds)
    before, old = set(server.sessions), server.objects
    for _ in range(COUNT):
        server.open(transport)
    server.pass_time(idle_seconds)
    new = [session for key, session in server.sessions.items() if key not in before]
    assert len(new) == COUNT
    return server.bytes_of(new, old) / COUNT


def measure() -> dict[str, tuple[float, list[tuple[str, int]]]]:
    """Bytes of one browser by transport, with the bytes of all that were measured by type."""
    found = {}
    cases = {each: (each, SETTLED_SECONDS) for each in MOST_BYTES}
    for name, case in {**cases, "longpoll at once": ("longpoll", 0.0)}.items():
        server = Server()
        found[name] = size_of(server, *case), server.kinds.most_common()
        server.close()
    return found


if __name__ == "__main__":
    sys.stdout.write(json.dumps(measure()))
