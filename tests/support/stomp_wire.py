"""A STOMP client of plain bytes, for what no proper client would send."""

from __future__ import annotations

import contextlib
import socket

from stompservice.protocol import V12, Frame, FrameError, FrameParser, encode

SECONDS = 60.0
QUIET_SECONDS = 0.5
"""How long nothing has to come for "nothing more came", behind all that has to come."""


class Wire:
    """A connection to a broker; frames are read by the rules of its version."""

    def __init__(self, port: int, version: str = V12, receive_buffer: int | None = None) -> None:
        self.version = version
        self.parser = FrameParser(version=version)
        self.waiting: list[Frame | FrameError] = []
        self.socket = socket.socket()
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.settimeout(SECONDS)
        self.socket.connect(("127.0.0.1", port))

    def __enter__(self) -> Wire:
        return self

    def __exit__(self, *exception: object) -> None:
        self.socket.close()

    def write(self, data: bytes) -> Wire:
        """Send bytes as they are; a broker that has closed already does not mind."""
        with contextlib.suppress(ConnectionError):
            self.socket.sendall(data)
        return self

    def send(self, command: str, body: bytes = b"", /, **headers: str) -> Wire:
        """Send a frame; in header names, ``_`` stands for ``-``."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.write(encode(Frame(command, named, body), self.version))

    def connect(self, **headers: str) -> Wire:
        """Log in as guest."""
        offered = {} if self.version == "1.0" else {"accept_version": self.version, "host": "/"}
        self.send("CONNECT", **{**offered, "login": "guest", "passcode": "guest", **headers})
        frame = self.frame()
        assert frame is not None, "closed before CONNECTED"
        assert frame.command == "CONNECTED", frame
        return self

    def subscribe(self, destination: str, id: str = "0", **headers: str) -> Wire:
        """Subscribe, and wait until that holds."""
        self.send("SUBSCRIBE", destination=destination, id=id, receipt=f"of {id}", **headers)
        frame = self.frame()
        assert frame is not None, "closed before RECEIPT"
        assert frame.command == "RECEIPT", frame
        return self

    def frame(self, seconds: float = SECONDS) -> Frame | None:
        """The next frame; None at the end of the connection.

        Raises:
            TimeoutError: neither has come.
        """
        self.socket.settimeout(seconds)
        while not self.waiting:
            try:
                data = self.socket.recv(65_536)
            except ConnectionError:
                return None
            if not data:
                return None
            self.parser.receive_data(data)
            self.waiting += self.parser.events_received()
        event = self.waiting.pop(0)
        assert isinstance(event, Frame), event
        return event

    def rest(self) -> list[Frame]:
        """Every frame up to the end of the connection."""
        return list(iter(self.frame, None))

    def answers(self, *expected: str) -> str:
        """In words: the commands that come, and whether the connection ends after them.

        Args:
            expected: what may come, in words; a broker may take its time to say that.
        """
        words: list[str] = []

        def patience() -> float:
            return QUIET_SECONDS if ", ".join([*words, "open"]) in expected else SECONDS

        try:
            while (frame := self.frame(patience())) is not None:
                words.append(frame.command)
        except TimeoutError:
            return ", ".join([*words, "open"])
        return ", ".join([*words, "closed"])
