"""Very many browsers that sit there and do nothing, as cheap as they can be.

Each has a session with an open transport and a back end behind it, as a page has that waits for
news. Sockets are plain ones; what comes in is read only as far as it takes to know that it works.
"""

import base64
import contextlib
import os
import re
import socket
from collections.abc import Iterator

__all__ = ["TRANSPORTS", "Crowd", "resident_kilobytes"]

TRANSPORTS = ("websocket", "xhrstream", "longpoll")
SECONDS = 30.0


class _Requests:
    """One keep-alive connection for all that is answered at once."""

    def __init__(self, port: int) -> None:
        self._host = f"127.0.0.1:{port}"
        self._connection = socket.create_connection(("127.0.0.1", port), SECONDS)
        self._file = self._connection.makefile("rb")

    def ask(self, method: str, path: str, body: bytes = b"") -> bytes:
        head = (
            f"{method} {path} HTTP/1.1\r\nHost: {self._host}\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        self._connection.sendall(head.encode() + body)
        status = self._file.readline()
        length = 0
        while (line := self._file.readline().strip()) != b"":
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                length = int(value)
        content = self._file.read(length)
        if b" 200 " not in status:
            raise RuntimeError(f"{method} {path}: {status!r} {content!r}")
        return content

    def close(self) -> None:
        self._file.close()
        self._connection.close()


class Crowd:
    """So many sessions of one server.

    Args:
        port: of the server, at 127.0.0.1.
        target: back end of all sessions, ``HOST:PORT``.
    """

    def __init__(self, port: int, target: str) -> None:
        self._port = port
        self._target = target.encode()
        self._sockets: list[socket.socket] = []

    def come(self, count: int, transport: str) -> None:
        """Open sessions, each with its transport and its back end."""
        requests = _Requests(self._port)
        for _ in range(count):
            key = requests.ask("GET", "/tcp").decode()
            requests.ask("GET", f"/tcp/{key}/poll")
            line = base64.b64encode(self._target + b"\n")
            packet = b"11,114,data0%d,%b" % (len(line), line)
            requests.ask("POST", f"/tcp/{key}?ack=2", packet)
            connection = socket.create_connection(("127.0.0.1", self._port), SECONDS)
            connection.sendall(self._opening(key, transport))
            self._sockets.append(connection)
        requests.close()

    def hear(self) -> None:
        """Wait until every browser has got something on its transport."""
        for connection in self._sockets:
            data = connection.recv(4096)
            if not re.match(rb"HTTP/1.1 (200|101) ", data):
                raise RuntimeError(f"a transport did not open: {data!r}")

    def vanish(self) -> None:
        """Close all connections, without a word."""
        for connection in self._sockets:
            connection.close()
        self._sockets.clear()

    def _opening(self, key: str, transport: str) -> bytes:
        lines = [f"GET /tcp/{key}/{transport}?ack=2 HTTP/1.1", f"Host: 127.0.0.1:{self._port}"]
        if transport == "websocket":
            nonce = base64.b64encode(os.urandom(16)).decode()
            lines += ["Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13"]
            lines += [f"Sec-WebSocket-Key: {nonce}"]
        return "\r\n".join([*lines, "", ""]).encode()


@contextlib.contextmanager
def crowd(port: int, target: str) -> Iterator[Crowd]:
    """A crowd that is gone behind the block."""
    people = Crowd(port, target)
    try:
        yield people
    finally:
        people.vanish()


def resident_kilobytes(pid: int) -> int:
    """Memory of a process that is in use, in kB; Linux only."""
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))
