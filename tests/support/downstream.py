"""What a browser reads over any transport: the same packets, however each of them frames them."""

from __future__ import annotations

import json
import re
from base64 import b64decode
from collections.abc import Callable
from typing import NamedTuple

from orbited.protocol.packets import PacketDecoder
from tests.support.comet import Browser, Response, Socket

TRANSPORTS = ["xhrstream", "sse", "old sse", "htmlfile", "longpoll", "poll", "websocket"]

_JSON = {
    "sse": re.compile(rb"event: payload\ndata: (.*)\n\n"),
    "old sse": re.compile(rb"Event: payload\ndata: (.*)\n\n"),
    "htmlfile": re.compile(rb"<script>e\((.*?)\)</script>"),
}


class Read(NamedTuple):
    """One packet that came down, with plain bytes as its data."""

    id: int
    name: str
    data: bytes


def read_text(body: bytes, *, raw: bool = False) -> list[Read]:
    """The packets of a body in the text framing that may go on."""
    decoder = PacketDecoder()
    decoder.receive_data(body)
    packets = []
    for event in decoder.events_received():
        assert isinstance(event, tuple), event
        number, name, *rest = event
        data = rest[0] if rest else b""
        if name == b"data" and not raw:
            data = b64decode(data, validate=True)
        packets.append(Read(int(number), name.decode(), data))
    return packets


def read_json(transport: str, body: bytes) -> list[Read]:
    """The packets of a body of sse or htmlfile that may go on."""
    packets = []
    for payload in _JSON[transport].findall(body):
        for number, name, *rest in json.loads(payload):
            data: bytes = rest[0].encode("ascii") if rest else b""
            packets.append(Read(int(number), name, b64decode(data) if name == "data" else data))
    return packets


def read_body(transport: str, body: bytes) -> list[Read]:
    """The packets of a body of any transport but WebSocket."""
    if transport in _JSON:
        return read_json(transport, body)
    return read_text(body.lstrip(b" ").rstrip(b"x"))


class Downstream:
    """One transport of a browser's session, opened again whenever it has ended.

    Attributes:
        packets: what was read, each packet once.
        is_over: the server knows the session no more.
    """

    def __init__(self, browser: Browser, transport: str) -> None:
        self._browser = browser
        self._transport = transport
        self._response: Response | Socket | None = None
        self._body = b""
        self._taken = 0
        self.packets: list[Read] = []
        self.is_over = False

    @property
    def is_open(self) -> bool:
        """Something is being read."""
        return self._response is not None

    @property
    def response(self) -> Response | Socket:
        """What is being read."""
        assert self._response is not None
        return self._response

    def open(self) -> None:
        """Open it, with what was read acknowledged."""
        self._body, self._taken = b"", 0
        if self._transport == "websocket":
            self._response = self._browser.socket()
            return
        standard = {"Accept": "text/event-stream"} if self._transport == "sse" else None
        name = self._transport.removeprefix("old ")
        self._response = self._browser.open(name, standard)
        self.is_over = self._response.status == 404

    def read_until(self, condition: Callable[[list[Read]], bool]) -> None:
        """Read on until the condition holds for all packets, or the session is gone."""
        while not condition(self.packets) and not self.is_over:
            if self._response is None:
                self.open()
            else:
                self._read_some()

    def close(self) -> None:
        """Drop the connection, if there is one."""
        if self._response is not None:
            self._response.close()
            self._response = None

    def _read_some(self) -> None:
        if isinstance(self._response, Socket):
            message = self._response.receive()
            is_ended = message is None
            packets = read_text(message or b"", raw=True)
        else:
            assert self._response is not None
            piece = self._response.read_some()
            # Padding and heartbeats stand only where a write of the server's begins.
            self._body += piece.lstrip(b" x") if self._transport == "xhrstream" else piece
            is_ended = not piece
            # A poll is read when it is whole, a stream while it grows.
            packets = read_body(self._transport, self._body)[self._taken :]
            self._taken += len(packets)
        for packet in packets:
            self._take(packet)
        if is_ended:
            self.close()

    def _take(self, packet: Read) -> None:
        is_new = packet.id > self._browser.ack
        is_first_open = packet.name == "open" and all(one.name != "open" for one in self.packets)
        if is_new or is_first_open:
            self.packets.append(packet)
        self._browser.ack = max(self._browser.ack, packet.id)
