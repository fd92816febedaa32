"""A broker for tests, and a component's connection to it that needs no reactor in this process."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.support.stomp_page import StompPage
from thywill_server.application.remote_stomp.line import Delivery

ROOT = Path(__file__).parents[2]


@contextmanager
def morbid_process(*options: str) -> Iterator[int]:
    """A MorbidQ that lets everybody in, in a process of its own; gives its port."""
    broker = subprocess.Popen(
        [sys.executable, "-m", "morbid", "--port", "0", *options],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert broker.stdout is not None
        yield int(broker.stdout.readline().partition("port ")[2].partition(".")[0])
    finally:
        broker.terminate()
        broker.wait(60)
        assert broker.stdout is not None
        broker.stdout.close()


class SocketLine:
    """Frames over a plain socket, read by a thread.

    Args:
        port: the broker's.
        login: for CONNECT; the passcode too.
    """

    def __init__(self, port: int, login: str = "guest") -> None:
        self._page = StompPage(port, login, login)
        assert self._page.answer.command == "CONNECTED"
        self._page._socket.settimeout(None)
        self._receivers: dict[str, Callable[[Delivery], None]] = {}
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._is_stopped = False

    @property
    def is_connected(self) -> bool:
        """Until it is stopped."""
        return not self._is_stopped

    def start(self) -> None:
        """Begin to read."""
        self._thread.start()

    def send(self, destination: str, body: bytes, headers: Mapping[str, str]) -> None:
        """Write one SEND."""
        self._write("SEND", {"destination": destination, **headers}, body)

    def listen(
        self, destination: str, receive: Callable[[Delivery], None], *, window: int = 0
    ) -> None:
        """Write one SUBSCRIBE."""
        self._receivers[destination] = receive
        ack = "client-individual" if window else "auto"
        more = {"prefetch-count": str(window)} if window else {}
        self._write(
            "SUBSCRIBE", {"destination": destination, "id": destination, "ack": ack, **more}
        )

    def stop(self) -> Any:
        """Close the socket."""
        self._is_stopped = True
        self._write("DISCONNECT", {"receipt": "bye"})
        self._thread.join(60)
        self._page.__exit__()

    def _write(self, command: str, headers: dict[str, str], body: bytes = b"") -> None:
        with self._lock:
            self._page.send(command, headers, body)

    def _read(self) -> None:
        while True:
            try:
                frame = self._page.receive()
            except EOFError:
                return
            if frame.command == "RECEIPT":
                return
            if frame.command != "MESSAGE":
                raise AssertionError(f"the broker says {frame}")
            headers = dict(frame.headers)

            def done(headers: dict[str, str] = headers) -> None:
                if "ack" in headers:
                    self._write("ACK", {"id": headers["ack"]})

            self._receivers[headers["subscription"]](Delivery(frame.body, headers, done))
