"""Writes of one loop, given to the kernel in one go.

Between two calls of the kernel the processor forgets what it had at hand: the interpreter, while
the kernel is at work, and the kernel, while the interpreter is. So a loop that writes to many
connections *holds* what it writes, and what is held is sent by a loop that does nothing else::

    with holding:
        for each in many:
            each.write_now(frame)       held: connection, socket, bytes
                                        every 64, and at the end: send, send, send

A connection holds one write. Whatever else is written to it sends first what is held, of all, so
that order is kept. What the kernel does not take goes the way of Twisted, as ever.
"""

import logging
from socket import socket
from typing import Protocol

__all__ = ["MAX_HELD", "Holding", "holding"]

log = logging.getLogger(__name__)

#: With so many writes, what is held is sent, so that the first does not wait long for the last.
MAX_HELD = 64

_send = socket.send


class Connection(Protocol):
    """What can be written to.

    Attributes:
        held_bytes: how much of it is held; 0 is nothing.
    """

    held_bytes: int

    def write(self, data: bytes) -> None:
        """Send, when the reactor gets to it."""

    def abortConnection(self) -> None:
        """End at once."""


class Holding:
    """What is held. Used from the reactor's thread only; it may be entered more than once.

    Attributes:
        is_on: writes are to be held.
        connections: to whom.
        sockets: theirs, in the same order.
        chunks: what is to be sent.
    """

    __slots__ = ("_depth", "chunks", "connections", "is_on", "sockets")

    def __init__(self) -> None:
        self._depth = 0
        self.is_on = False
        self._forget()

    def __enter__(self) -> None:
        self._depth += 1
        self.is_on = True

    def __exit__(self, *fault: object) -> None:
        self._depth -= 1
        if not self._depth:
            self.is_on = False
            self.release()

    def release(self) -> None:
        """Send what is held. The hot path."""
        connections, chunks = self.connections, self.chunks
        if not connections:
            return
        attempts = map(_send, self.sockets, chunks)
        self._forget()
        for connection in connections:
            connection.held_bytes = 0
        sent: list[int] = []
        while len(sent) < len(chunks):
            try:
                sent.extend(attempts)
            except OSError:
                sent.append(
                    0
                )  # full, or broken: the reactor's own attempt finds out and reports it
        if sent == list(map(len, chunks)):
            return
        for connection, chunk, count in zip(connections, chunks, sent, strict=True):
            if count != len(chunk):
                _write_rest(connection, chunk[count:])

    def _forget(self) -> None:
        self.connections: list[Connection] = []
        self.sockets: list[socket] = []
        self.chunks: list[bytes] = []


def _write_rest(connection: Connection, data: bytes) -> None:
    try:
        connection.write(data)
    except Exception:  # of whoever produces for it, and is told to stop
        log.exception("%r failed and is dropped", connection)
        connection.abortConnection()


#: That of this process.
holding = Holding()
