"""A browser's side of the comet protocol on raw sockets, and the server to talk to.

``serving(options)`` runs a real Orbited in a process of its own, on free ports. ``Browser`` is a
client as simple as can be: what it does, it does in bytes that a test can read.
"""

import contextlib
import json
import signal
import socket
import ssl
import subprocess
import sys
from base64 import b64decode
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from websockets.client import ClientProtocol
from websockets.frames import Frame, Opcode
from websockets.protocol import CONNECTING
from websockets.uri import parse_uri

from orbited.protocol.packets import DATA, TEXT, Packet, PacketDecoder

ROOT = Path(__file__).parent.parent.parent
TIMEOUT = 60.0


@contextlib.contextmanager
def serving(
    options: dict[str, Any] | None = None, stderr: IO[Any] | None = None
) -> Iterator[dict[str, Any]]:
    """Run ``tests.support.comet_server``; what it says of itself (ports, pid) is returned."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.support.comet_server", json.dumps(options or {})],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=stderr,
        text=True,
    )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line, "the server did not start"
        yield {**json.loads(line), "process": process}
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        try:
            process.wait(TIMEOUT)
        finally:
            process.kill()
            process.stdout.close()


class Response:
    """An answer that is read as it comes, chunked or not."""

    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection
        self._file = connection.makefile("rb")
        status = self._file.readline()
        if not status:
            self.close()
            raise ConnectionError("no answer")
        self.status = int(status.split()[1])
        self.headers: dict[str, str] = {}
        while (line := self._file.readline().strip()) != b"":
            name, _, value = line.decode("latin-1").partition(":")
            self.headers[name.lower()] = value.strip()
        self._is_chunked = self.headers.get("transfer-encoding") == "chunked"
        length = self.headers.get("content-length")
        self._left = int(length) if length is not None else None
        self.is_over = self.status in (101, 204) or self._left == 0

    def read_some(self) -> bytes:
        """The next piece of the body; b"" at its proper end.

        Raises:
            ConnectionError: the connection went away before that end.
        """
        if self.is_over:
            return b""
        if self._is_chunked:
            line = self._file.readline()
            if not line.endswith(b"\n"):
                raise ConnectionError("cut between two chunks")
            size = int(line, 16)
            data = self._file.read(size + 2)
            if len(data) != size + 2:
                raise ConnectionError("cut in a chunk")
            self.is_over = size == 0
            return data[:-2]
        if self._left is None:
            data = self._file.read1(65536)
            self.is_over = not data
            return data
        data = self._file.read(self._left)
        if len(data) != self._left:
            raise ConnectionError("cut in the body")
        self.is_over = True
        return data

    def read(self) -> bytes:
        """All of the body."""
        pieces = []
        while data := self.read_some():
            pieces.append(data)
        return b"".join(pieces)

    def read_at_least(self, size: int) -> bytes:
        """The body up to where it has so many bytes, or to its end."""
        data = b""
        while len(data) < size and (piece := self.read_some()):
            data += piece
        return data

    def __enter__(self) -> "Response":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Drop the connection."""
        self._file.close()
        self.connection.close()


def connect(
    port: int, context: ssl.SSLContext | None = None, source: str | None = None
) -> socket.socket:
    """Connect on loopback.

    Args:
        context: for TLS, to a server that has a certificate for ``localhost``.
        source: the address to come from, such as 127.0.0.2.
    """
    bound = None if source is None else (source, 0)
    connection = socket.create_connection(("127.0.0.1", port), TIMEOUT, bound)
    if context is None:
        return connection
    return context.wrap_socket(connection, server_hostname="localhost")


def send(port: int, request: bytes, **how: Any) -> Response:
    """Send a request on a connection of its own; ``how`` is for ``connect``."""
    connection = connect(port, **how)
    connection.sendall(request)
    return Response(connection)


class Socket:
    """A WebSocket without a library's threads: messages in and out on a blocking socket."""

    def __init__(
        self, port: int, path: str, headers: dict[str, str] | None = None, **how: Any
    ) -> None:
        uri = parse_uri(f"ws://127.0.0.1:{port}{path}")
        self.protocol = ClientProtocol(uri)
        self.connection = connect(port, **how)
        self._messages: list[Frame] = []
        request = self.protocol.connect()
        for name, value in (headers or {}).items():
            request.headers.pop(name, None)
            request.headers[name] = value
        self.protocol.send_request(request)
        self._write()
        while self.protocol.state is CONNECTING and self.protocol.handshake_exc is None:
            self._read()
        if self.protocol.handshake_exc is not None:
            self.close()
            raise self.protocol.handshake_exc

    def __enter__(self) -> "Socket":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _write(self) -> None:
        for data in self.protocol.data_to_send():
            if data:
                self.connection.sendall(data)
            else:
                with contextlib.suppress(OSError):
                    self.connection.shutdown(socket.SHUT_WR)

    def _read(self) -> bool:
        data = self.connection.recv(65536)
        if data:
            self.protocol.receive_data(data)
        else:
            self.protocol.receive_eof()
        events = self.protocol.events_received()
        self._messages += [event for event in events if isinstance(event, Frame)]
        self._write()
        return bool(data)

    def send(self, message: bytes) -> None:
        """Send one binary message."""
        self.protocol.send_binary(message)
        self._write()

    def receive(self) -> bytes | None:
        """The next message; None when the server has closed."""
        while True:
            while self._messages:
                frame = self._messages.pop(0)
                if frame.opcode in (Opcode.BINARY, Opcode.TEXT):
                    return bytes(frame.data)
            if not self._read():
                return None

    @property
    def close_code(self) -> int | None:
        """What the server closed with."""
        return self.protocol.close_code

    def close(self) -> None:
        """Drop the connection."""
        self.connection.close()


class Browser:
    """One session, by hand; ``how`` is for ``connect``."""

    def __init__(
        self, port: int, prefix: str = "", headers: dict[str, str] | None = None, **how: Any
    ) -> None:
        self.how = how
        self.port = port
        self.prefix = prefix
        self.headers = {"Host": f"127.0.0.1:{port}", **(headers or {})}
        self.key = ""
        self.ack = 0
        self.next_id = 1
        self.received = b""

    def request(
        self, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None
    ) -> Response:
        """One request on a connection of its own."""
        lines = [f"{method} {self.prefix}{path} HTTP/1.1", "Connection: close"]
        all_headers = {**self.headers, **(headers or {})}
        if body or method == "POST":
            all_headers.setdefault("Content-Length", str(len(body)))
        lines += [f"{name}: {value}" for name, value in all_headers.items()]
        head = "\r\n".join([*lines, "", ""]).encode("latin-1")
        return send(self.port, head + body, **self.how)

    def create(self) -> str:
        """Create the session."""
        with self.request("GET", "/tcp") as response:
            assert response.status == 200, response.read()
            self.key = response.read().decode()
        return self.key

    def open(self, transport: str, headers: dict[str, str] | None = None) -> Response:
        """Open a transport, acknowledging what was read."""
        query = f"?ack={self.ack}" if self.ack else ""
        return self.request("GET", f"/tcp/{self.key}/{transport}{query}", headers=headers)

    def socket(self, headers: dict[str, str] | None = None) -> Socket:
        """Open the WebSocket transport, acknowledging what was read."""
        query = f"?ack={self.ack}" if self.ack else ""
        path = f"{self.prefix}/tcp/{self.key}/websocket{query}"
        return Socket(self.port, path, {**self.headers, **(headers or {})}, **self.how)

    def post(self, body: bytes) -> tuple[int, bytes]:
        """POST packets."""
        with self.request("POST", f"/tcp/{self.key}?ack={self.ack}", body) as response:
            return response.status, response.read()

    def packets(self, *payloads: bytes) -> bytes:
        """Data packets with the next ids."""
        packets = []
        for payload in payloads:
            packets.append(Packet(self.next_id, DATA, payload))
            self.next_id += 1
        return TEXT.encode(packets)

    def send(self, *payloads: bytes) -> None:
        """POST application bytes; must be taken."""
        assert self.post(self.packets(*payloads)) == (200, b"OK")

    def poll(self) -> list[tuple[bytes, ...]]:
        """One long poll; new packets are remembered as read."""
        with self.open("longpoll") as response:
            assert response.status == 200, response.status
            return self.take(response.read())

    def take(self, body: bytes, *, raw: bool = False) -> list[tuple[bytes, ...]]:
        """Decode a body: acknowledge what it holds, keep the application bytes that are new."""
        packets = decode(body)
        for arguments in packets:
            self.take_packet(arguments, raw=raw)
        return packets

    def take_packet(self, arguments: tuple[bytes, ...], *, raw: bool = False) -> None:
        """One packet came down."""
        number = int(arguments[0])
        if number > self.ack:
            assert number == self.ack + 1 or self.ack == 0, f"{number} after {self.ack}"
            self.ack = number
            if arguments[1] == b"data":
                self.received += arguments[2] if raw else b64decode(arguments[2])

    def shake_hands(self, target: str) -> None:
        """Open, name the back end, and read the answer, all by long polling."""
        self.create()
        self.poll()
        self.send(target.encode() + b"\n")
        assert [packet[1:] for packet in self.poll()] == [(b"data", b"MQ==")]
        self.received = b""


def decode(body: bytes) -> list[tuple[bytes, ...]]:
    """The packets of a complete body, padding and heartbeats of a stream left out."""
    decoder = PacketDecoder()
    decoder.receive_data(body.lstrip(b" ").lstrip(b"x"))
    packets = decoder.events_received()
    assert decoder.is_between_packets, body[-50:]
    return packets  # type: ignore[return-value]
