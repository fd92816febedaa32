"""A session with Orbited, over one transport of the browser's.

::

    GET  /tcp                     a session and its key
    GET  /tcp/KEY/TRANSPORT       packets come down: WebSocket, stream or long poll
    POST /tcp/KEY                 packets go up, but for a WebSocket's
    data "HOST:PORT\\n"            the first packet up; the first one down is "1", or "0" and a code
"""

from __future__ import annotations

import base64
import re
import ssl
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any, Final
from urllib.parse import urlsplit

from websockets.exceptions import InvalidHandshake, InvalidStatus, WebSocketException
from websockets.sync.client import connect

from thywill_server.management.diagnosis.trouble import Trouble, reason

KNOWN: Final = ("websocket", "xhrstream", "longpoll", "poll")
"""The transports that can be tried from here."""

PIECE_BYTES: Final = 65_536
MAX_BYTES: Final = 1_048_576
"""What a packet, or an answer that is not Orbited's, may have."""

ARGUMENT: Final = re.compile(rb"([01])(\d{1,7}),")


class CometSession:
    """One session, up to the answer of the back end.

    Args:
        url: of Orbited, with a slash at its end.
        origin: the page's.
        transport: one of `KNOWN`.
        back_end: host and port, as Orbited sees them.
        seconds: how long each step may take.

    Raises:
        Trouble: a step fails; it says which.
    """

    def __init__(
        self, url: str, origin: str, transport: str, back_end: tuple[str, int], seconds: float
    ) -> None:
        self._url, self._origin, self._seconds = urlsplit(url), origin, seconds
        self.transport, self._back_end = transport, "{}:{}".format(*back_end)
        self._rest = b""
        self._received: list[bytes] = []
        self._is_closed = False
        self._last_id = self._sent = 0
        self._web_socket: Any = None
        self._stream: Any = None
        self._path = self._url.path + "tcp/" + self._new_key(url)
        if transport == "websocket":
            self._open_web_socket()
        self.send(f"{self._back_end}\n".encode())
        answer = self.receive()
        if answer != b"1":
            raise handshake_trouble(answer, origin, self._back_end)

    def send(self, data: bytes) -> None:
        """Send bytes to the back end."""
        self._sent += 1
        number = b"%d" % self._sent
        if self._web_socket is not None:
            try:
                self._web_socket.send(packet(number, b"data", data))
            except (OSError, WebSocketException) as error:
                raise self._silent(error) from error
            return
        body = packet(number, b"data", base64.b64encode(data))
        status, text = self._request("POST", f"{self._path}?ack={self._last_id}", body)
        if status == 403:
            raise origin_trouble(self._origin, self._back_end)
        if status != 200:
            raise Trouble(
                f"Orbited answers {status} to a POST ({text[:80]!r})",
                "A proxy may not let POSTs through, or send them to another Orbited.",
            )

    def receive(self) -> bytes:
        """Wait for bytes of the back end; none at all at its end."""
        while not self._received:
            if self._is_closed:
                return b""
            try:
                piece = self._next_piece()
            except (OSError, HTTPException, WebSocketException) as error:
                raise self._silent(error) from error
            self._take(piece)
        return self._received.pop(0)

    def close(self) -> None:
        """Let go."""
        if self._web_socket is not None:
            self._web_socket.close()
        if self._stream is not None:
            self._stream.close()

    def _new_key(self, url: str) -> str:
        try:
            status, text = self._request("GET", f"{self._url.path}tcp")
        except (OSError, HTTPException) as error:
            raise Trouble(
                f"Orbited does not answer at {url} ({reason(error)})",
                "Start it with the command orbited, or correct orbited_url of the push component.",
            ) from error
        key = text.decode("latin-1")
        if status == 403:
            raise origin_trouble(self._origin, self._back_end)
        if status != 200 or not re.fullmatch(r"[\w.-]{8,200}", key):
            raise Trouble(
                f"what answers at {url} is not Orbited (status {status})",
                "Correct orbited_url of the push component, or what a proxy does with that path.",
            )
        return key

    def _open_web_socket(self) -> None:
        scheme = "wss" if self._url.scheme == "https" else "ws"
        address = f"{scheme}://{self._url.netloc}{self._path}/websocket?ack=0"
        headers = {"Origin": self._origin}
        try:
            self._web_socket = connect(
                address, additional_headers=headers, open_timeout=self._seconds, proxy=None
            )
        except (InvalidHandshake, OSError) as error:
            if isinstance(error, InvalidStatus) and error.response.status_code == 403:
                raise origin_trouble(self._origin, self._back_end) from error
            raise Trouble(
                f"no WebSocket comes through ({reason(error)})",
                "A proxy must pass Upgrade and Connection on: see how-to/behind-nginx.md.",
            ) from error

    def _next_piece(self) -> bytes:
        if self._web_socket is not None:
            message = self._web_socket.recv(timeout=self._seconds)
            return message if isinstance(message, bytes) else message.encode()
        if self._stream is not None:
            piece: bytes = self._stream.read1(PIECE_BYTES)
            if piece:
                return piece
            self._stream = None  # it has an end, and another one follows
        connection = self._connection()
        path = f"{self._path}/{self.transport}?ack={self._last_id}"
        connection.request("GET", path, headers=self._headers)
        response = connection.getresponse()
        if response.status != 200:
            response.close()
            raise HTTPException(f"status {response.status}")
        if self.transport == "xhrstream":
            self._stream = response
            return b""
        with response:
            return response.read(MAX_BYTES)

    def _take(self, piece: bytes) -> None:
        packets, self._rest = decoded(self._rest + piece)
        for number, name, *rest in packets:
            if name == b"ack" or not number.isdigit():
                continue
            if int(number) <= self._last_id and name != b"open":
                continue
            self._last_id = max(self._last_id, int(number))
            if name == b"data":
                is_raw = self._web_socket is not None
                self._received.append(rest[0] if is_raw else base64.b64decode(rest[0]))
            elif name == b"close":
                self._is_closed = True

    def _silent(self, error: Exception) -> Trouble:
        if self.transport == "xhrstream" and isinstance(error, TimeoutError):
            return Trouble(
                f"nothing of an open answer came through for {self._seconds:g} s",
                "A proxy keeps the answer until its end: turn its buffering off for Orbited's "
                "path (proxy_buffering off; in nginx). Pages go on by long polling meanwhile.",
            )
        return Trouble(
            f"the session broke ({reason(error)})",
            "A proxy may end long requests too early, or Orbited has restarted; try again.",
        )

    @property
    def _headers(self) -> dict[str, str]:
        return {"Origin": self._origin}

    def _connection(self) -> HTTPConnection:
        if self._url.scheme == "https":
            context = ssl.create_default_context()
            return HTTPSConnection(self._url.netloc, timeout=self._seconds, context=context)
        return HTTPConnection(self._url.netloc, timeout=self._seconds)

    def _request(self, method: str, path: str, body: bytes | None = None) -> tuple[int, bytes]:
        connection = self._connection()
        try:
            connection.request(method, path, body, self._headers)
            with connection.getresponse() as response:
                return response.status, response.read(MAX_BYTES)
        finally:
            connection.close()


def packet(*arguments: bytes) -> bytes:
    """Write one packet: each argument with a flag, which is 0 with the last, and its length."""
    last = len(arguments) - 1
    return b"".join(
        b"%d%d,%s" % (number < last, len(argument), argument)
        for number, argument in enumerate(arguments)
    )


def decoded(data: bytes) -> tuple[list[list[bytes]], bytes]:
    """Read whole packets; gives them, and the bytes of one that is not whole yet."""
    packets: list[list[bytes]] = []
    begun: list[bytes] = []
    data = data.lstrip(b" x")
    position = start = 0
    while found := ARGUMENT.match(data, position):
        end = found.end() + int(found[2])
        if end > len(data):
            break
        begun.append(data[found.end() : end])
        position = end
        if found[1] == b"0":
            packets.append(begun)
            begun = []
            while data[position : position + 1] in (b" ", b"x"):
                position += 1  # padding, and the heartbeats of a stream
            start = position
    return packets, data[start:]


def origin_trouble(origin: str, back_end: str) -> Trouble:
    """Say that the access list does not name this site."""
    return Trouble(
        f"Orbited does not let pages of {origin} connect to {back_end}",
        f'Add "{origin} -> {back_end}" to [access] of orbited.cfg, and restart it.',
    )


def handshake_trouble(answer: bytes, origin: str, back_end: str) -> Trouble:
    """Say why Orbited connects a page to nothing, by the code that it gives."""
    code = answer[1:].decode("latin-1") if answer[:1] == b"0" else ""
    if code == "106":
        return origin_trouble(origin, back_end)
    if code in ("104", "108"):
        return Trouble(
            f"Orbited reaches no broker at {back_end}",
            "Start the broker, or correct stomp_host and stomp_port of the push component: they "
            "are what Orbited connects to as well.",
        )
    return Trouble(
        f"Orbited refuses the connection to {back_end} ({answer[:40]!r})",
        "Its codes are in the reference of Orbited's JavaScript.",
    )
