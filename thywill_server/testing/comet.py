"""A comet session as a page has it: bytes both ways, over whichever transport is wanted.

::

    create    GET  .../tcp                        the answer is the key
    down      GET  .../tcp/KEY/TRANSPORT?ack=N    packets; opened again and again
    up        POST .../tcp/KEY?ack=N              packets; or through the WebSocket

Both ends number their packets and keep them until the other has them, so a session outlives its
requests: `cut` and `resume` lose nothing, as long as the server keeps it.
"""

from __future__ import annotations

import http.client
from collections.abc import Callable
from dataclasses import dataclass

from thywill_server.testing.loop import Loop, Timer
from thywill_server.testing.packets import EventReader, Packet, PacketReader, write
from thywill_server.testing.streams import Answer, Messages, Speed

__all__ = ["CometSession", "Place"]

REQUEST_SECONDS = 10.0
POLL_SECONDS = 0.1
"""The pause of the transport ``poll``; a page waits two seconds, a test has less patience."""

RETRY_SECONDS = 0.05
ACK_PACKETS = 16
ACK_BYTES = 32_768
"""Of a stream, so much is read before the server is told."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a comet server is: host, port, and the path of it, with slashes."""

    host: str
    port: int
    path: str


class CometSession:
    """A TCP connection through Orbited.

    Args:
        loop: turns while the test waits.
        place: of Orbited.
        transport: ``websocket``, ``xhrstream``, ``sse``, ``longpoll`` or ``poll``.
        speed: of the browser.
        received: called with bytes.
        ended: called once, when the server has given the session up.

    Raises:
        OSError: nobody listens.
    """

    def __init__(
        self,
        loop: Loop,
        place: Place,
        transport: str,
        speed: Speed,
        received: Callable[[bytes], object],
        ended: Callable[[], object],
    ) -> None:
        self._loop, self._place, self._speed = loop, place, speed
        self.transport = transport
        self._received, self._ended = received, ended
        origin = f"{place.host}:{place.port}"
        self._headers = {"Host": origin, "Origin": f"http://{origin}"}
        self._down: _Down | None = None
        self._retry: Timer | None = None
        self._last_id = 0
        self._untold_packets = self._untold_bytes = 0
        self._unaccepted: list[Packet] = []
        self._ids = 0
        self._is_over = False
        status, key = self._request("GET", f"{place.path}tcp")
        if status != 200:
            raise OSError(f"Orbited answers {status}: {key.decode(errors='replace')}")
        self._path = f"{place.path}tcp/{key.decode()}"
        self.resume()

    def send(self, data: bytes) -> None:
        """Send bytes."""
        self._push("data", data)

    def cut(self) -> None:
        """Have no network any more; nobody is told."""
        if self._retry is not None:
            self._retry.cancel()
        if self._down is not None:
            self._down.close()
            self._down = None

    def resume(self) -> None:
        """Have a network again; asks for what was missed."""
        if not self._is_over:
            self.cut()
            try:
                self._down = _Down(self)
            except OSError:
                self._try_again()

    def end(self) -> None:
        """End the session in good order."""
        if not self._is_over:
            self._is_over = True
            self.cut()
            self._unaccepted.append(Packet(self._next_id(), "close"))
            self._post()

    # Up.

    def _push(self, name: str, data: bytes = b"") -> None:
        packet = Packet(self._next_id(), name, data)
        self._unaccepted.append(packet)
        if self.transport != "websocket":
            self._post()
        elif self._down is not None:
            self._down.send([packet])

    def _next_id(self) -> int:
        self._ids += 1
        return self._ids

    def _post(self) -> None:
        """Send what was not accepted, and tell what has come."""
        self._untold_packets = self._untold_bytes = 0
        try:
            status, _ = self._request(
                "POST", f"{self._path}?ack={self._last_id}", write(self._unaccepted, is_raw=False)
            )
        except OSError:
            return
        if status == 200:
            self._unaccepted = []
        elif status == 404:
            self._gone()

    def _request(self, method: str, path: str, body: bytes | None = None) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection(
            self._place.host, self._place.port, timeout=REQUEST_SECONDS
        )
        try:
            connection.request(method, path, body, self._headers)
            response = connection.getresponse()
            return response.status, response.read()
        except http.client.HTTPException as error:
            raise OSError(f"no answer from Orbited: {error!r}") from error
        finally:
            connection.close()

    # Down; called by the transport.

    def ready(self) -> None:
        """The transport is open: what was not accepted goes up, a second time perhaps."""
        if self._unaccepted:
            if self._down is not None and self.transport == "websocket":
                self._down.send(self._unaccepted)
            else:
                self._post()

    def take(self, packet: Packet) -> None:
        """One packet came down, perhaps not for the first time."""
        if packet.name == "ack" and packet.id == 0:
            accepted = int(packet.data)
            self._unaccepted = [each for each in self._unaccepted if each.id > accepted]
            return
        if packet.id <= self._last_id:
            return
        self._last_id = packet.id
        self._untold_packets += 1
        self._untold_bytes += len(packet.data)
        if packet.name == "data":
            self._received(packet.data)
        elif packet.name == "ping":
            self._push("ping")
        elif packet.name == "close":
            self._gone()

    def taken(self) -> None:
        """All is taken that came in one go: tell the server, from time to time."""
        is_much = self._untold_packets >= ACK_PACKETS or self._untold_bytes >= ACK_BYTES
        if self._down is None or self._is_over:
            return
        if self.transport == "websocket" and self._untold_packets:
            self._untold_packets = self._untold_bytes = 0
            self._down.send([Packet(0, "ack", b"%d" % self._last_id)])
        elif self.transport in ("xhrstream", "sse") and is_much:
            self._post()

    def lost(self, down: _Down, status: int) -> None:
        """A transport has ended: open the next one."""
        if self._down is not down or self._is_over:
            return
        self._down = None
        if status == 404:
            self._gone()
        elif status == 200:
            self._try_again(POLL_SECONDS if self.transport == "poll" else 0.0)
        else:
            self._try_again()

    def _try_again(self, seconds: float = RETRY_SECONDS) -> None:
        self._retry = self._loop.call_later(seconds, self.resume)

    def _gone(self) -> None:
        if not self._is_over:
            self._is_over = True
            self.cut()
            self._ended()

    def open_down(self, down: _Down) -> Answer | Messages:
        """Ask for packets; for the transport."""
        path = f"{self._path}/{self.transport}?ack={self._last_id}"
        address = (self._place.host, self._place.port)
        if self.transport == "websocket":
            return Messages(self._loop, address, self._speed, path, self._headers, down)
        accept = "text/event-stream" if self.transport == "sse" else "*/*"
        headers = {**self._headers, "Accept": accept}
        return Answer(self._loop, address, self._speed, path, headers, down)


class _Down:
    """One transport of one session."""

    def __init__(self, session: CometSession) -> None:
        self._session = session
        is_raw = session.transport == "websocket"
        self._reader = EventReader() if session.transport == "sse" else PacketReader(is_raw=is_raw)
        self._carrier = session.open_down(self)

    def send(self, packets: list[Packet]) -> None:
        """Send packets up the WebSocket, if it is open; else they wait for that."""
        if isinstance(self._carrier, Messages):
            self._carrier.send(write(packets, is_raw=True))

    def close(self) -> None:
        """Drop it."""
        self._carrier.close()

    def opened(self) -> None:
        """Go."""
        self._session.ready()

    def received(self, data: bytes) -> None:
        """Read packets."""
        for packet in self._reader.feed(data):
            self._session.take(packet)
        self._session.taken()

    def ended(self, status: int) -> None:
        """Tell the session."""
        self._session.lost(self, status)
