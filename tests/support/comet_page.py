"""What a page does on a STOMP connection through Orbited, without a browser.

`CometSocket` is a socket as a page has it: a session, packets, and one of two transports.
`open_comet_page` puts STOMP on it.
"""

from __future__ import annotations

import base64
import http.client
from contextlib import ExitStack
from typing import Any, Self
from urllib.parse import urlsplit

from websockets.exceptions import ConnectionClosedOK
from websockets.sync.client import connect
from websockets.typing import Subprotocol

from orbited.protocol.packets import PacketDecoder
from stompservice.protocol import Frame, FrameParser, encode

SECONDS = 60


class CometSocket:
    """A TCP connection through Orbited.

    Args:
        url: of Orbited, with a slash at its end.
        host: to connect to, as Orbited sees it.
        port: to connect to.
        transport: ``longpoll`` or ``websocket``.
        origin: the page's; none is sent when it is None.
    """

    def __init__(
        self, url: str, host: str, port: int, transport: str, origin: str | None = None
    ) -> None:
        parts = urlsplit(url)
        assert parts.hostname is not None
        self._address = (parts.hostname, parts.port)
        self._path = f"{parts.path}tcp"
        self._headers = {} if origin is None else {"Origin": origin}
        self._decoder = PacketDecoder()
        self._received: list[bytes] = []
        self._is_closed = False
        self._ids = iter(range(1, 1 << 30))
        self._last_id = 0
        status, key = self._request("GET", self._path)
        assert status == 200, (status, key)
        self._path += f"/{key.decode()}"
        self._web_socket: Any = None
        self._stack = ExitStack()
        if transport == "websocket":
            address = f"ws://{parts.netloc}{self._path}/websocket?ack=0"
            opening = connect(
                address, additional_headers=self._headers, open_timeout=SECONDS, proxy=None
            )
            self._web_socket = self._stack.enter_context(opening)
        self.sendall(f"{host}:{port}\n".encode())
        answer = self.recv()
        if answer != b"1":
            raise ConnectionRefusedError(answer.decode())

    def sendall(self, data: bytes) -> None:
        """Send bytes."""
        number = b"%d" % next(self._ids)
        if self._web_socket is not None:
            self._web_socket.send(packet(number, b"data", data))
            return
        body = packet(number, b"data", base64.b64encode(data))
        status, answer = self._request("POST", f"{self._path}?ack={self._last_id}", body)
        assert (status, answer) == (200, b"OK"), (status, answer)

    def recv(self, _: int = 0) -> bytes:
        """Wait for bytes; none when the connection was closed."""
        while not self._received:
            if self._is_closed:
                return b""
            self._fetch()
        return self._received.pop(0)

    def close(self) -> None:
        """Let go."""
        self._stack.close()

    def _fetch(self) -> None:
        if self._web_socket is not None:
            self._decoder.receive_data(self._web_socket.recv(timeout=SECONDS))
        else:
            path = f"{self._path}/longpoll?ack={self._last_id}"
            status, body = self._request("GET", path)
            assert status == 200, (status, body)
            self._decoder.receive_data(body)
        for event in self._decoder.events_received():
            assert isinstance(event, tuple), event
            self._take(event)

    def _take(self, arguments: tuple[bytes, ...]) -> None:
        number, name, *rest = arguments
        if name == b"ack" or (int(number) <= self._last_id and name != b"open"):
            return
        self._last_id = max(self._last_id, int(number))
        if name == b"data":
            in_base64 = self._web_socket is None
            self._received.append(base64.b64decode(rest[0]) if in_base64 else rest[0])
        elif name == b"close":
            self._is_closed = True

    def _request(self, method: str, path: str, body: bytes | None = None) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection(*self._address, timeout=SECONDS)
        try:
            connection.request(method, path, body, self._headers)
            response = connection.getresponse()
            return response.status, response.read()
        finally:
            connection.close()


class BridgeSocket:
    """A WebSocket of ``/ws`` or ``/stomp`` as a socket.

    Args:
        url: of the end point, beginning with ``ws``.
        origin: the page's; none is sent when it is None.
    """

    def __init__(self, url: str, origin: str | None = None) -> None:
        self._stack = ExitStack()
        self._web_socket = self._stack.enter_context(
            connect(
                url,
                additional_headers={} if origin is None else {"Origin": origin},
                subprotocols=[Subprotocol("v12.stomp")],
                open_timeout=SECONDS,
                proxy=None,
            )
        )

    def sendall(self, data: bytes) -> None:
        """Send bytes."""
        self._web_socket.send(data)

    def recv(self, _: int = 0) -> bytes:
        """Wait for bytes; none when the connection was closed."""
        try:
            message = self._web_socket.recv(timeout=SECONDS)
        except ConnectionClosedOK:
            return b""
        return message.encode() if isinstance(message, str) else message

    def close(self) -> None:
        """Let go."""
        self._stack.close()


def packet(*arguments: bytes) -> bytes:
    """Write one packet in the text framing."""
    flags = [b"1"] * (len(arguments) - 1) + [b"0"]
    pairs = zip(flags, arguments, strict=True)
    return b"".join(b"%s%d,%s" % (flag, len(argument), argument) for flag, argument in pairs)


class StompConnection:
    """STOMP 1.2 on anything that has sendall, recv and close."""

    def __init__(self, socket: Any, login: str, passcode: str) -> None:
        self._socket = socket
        self._parser = FrameParser()
        self._frames: list[Frame] = []
        headers = {"accept-version": "1.2", "host": "/", "login": login, "passcode": passcode}
        self.send("CONNECT", headers)
        self.answer = self.receive()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go, without a word."""
        self._socket.close()

    def send(self, command: str, headers: dict[str, str], body: bytes = b"") -> None:
        """Write one frame."""
        self._socket.sendall(encode(Frame(command, headers, body)))

    def receive(self) -> Frame:
        """Wait for the next frame; EOFError when the connection was closed."""
        while not self._frames:
            received = self._socket.recv(65_536)
            if not received:
                raise EOFError("the connection was closed")
            self._parser.receive_data(received)
            for event in self._parser.events_received():
                assert isinstance(event, Frame), event
                self._frames.append(event)
        return self._frames.pop(0)

    def subscribe(self, destination: str, **headers: str) -> Frame:
        """Subscribe with a receipt, and give the broker's answer."""
        asked = {"destination": destination, "id": destination, "receipt": "subscribed", **headers}
        self.send("SUBSCRIBE", asked)
        return self.receive()
