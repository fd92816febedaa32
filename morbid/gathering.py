"""Writing once for each packet that came in, instead of once for each frame that goes out.

A packet of a busy publisher holds many SENDs, and each becomes a frame for every subscriber.
Twisted's ``transport.write`` keeps each of them, asks the reactor for a call when the socket can
be written to, and writes in the reactor's next turn: under load that costs more than all the rest
of the broker. So the frames that one packet causes are gathered here, and at its end every
connection gets its own in one piece, straight to the socket::

    dataReceived  turn.begin()
                    SEND a --> writer.write: [a]      for each subscriber
                    SEND b --> writer.write: [a, b]
                  turn.end() ------> socket.send(ab)  for each of them

What the kernel does not take, what comes while something is still waiting, and whatever no packet
has caused goes the usual way: order, back-pressure, bounds and errors stay with Twisted and with
``morbid.outgoing``. No more is gathered than the transport's own buffer holds. What is beyond that
is written at once, so that the transport can say that it is full while there is still somebody
to listen: a queue that sends its backlog stops there, and gives the rest to others.
"""

from __future__ import annotations

import logging
from typing import Any

from twisted.internet.tcp import Connection

log = logging.getLogger(__name__)


class Turn:
    """What is gathered while one packet is read, for all connections of a factory."""

    __slots__ = ("is_open", "writers")

    def __init__(self) -> None:
        self.is_open = False
        self.writers: list[GatheringWriter] = []

    def begin(self) -> bool:
        """Begin to gather; False if that was begun further out, where it also ends."""
        was_open, self.is_open = self.is_open, True
        return not was_open

    def add(self, writer: GatheringWriter) -> None:
        """Remember one that has something to write at the end."""
        self.writers.append(writer)

    def end(self) -> None:
        """Write everything."""
        self.is_open = False
        writers, self.writers = self.writers, []
        for writer in writers:
            try:
                writer.flush()
            except Exception:
                # Not the mistake of whoever sent the packet, nor of those who come after.
                log.exception("internal error")
                writer.transport.abortConnection()


class GatheringWriter:
    """The way out of one connection.

    Attributes:
        transport: a connection that ``can_gather``.
    """

    __slots__ = ("_frames", "_send", "_size_bytes", "_turn", "transport")

    def __init__(self, transport: Any, turn: Turn) -> None:
        self.transport = transport
        self._turn = turn
        self._send = transport.socket.send
        self._frames: list[bytes] = []
        self._size_bytes = 0

    def write(self, data: bytes) -> None:
        """Take a frame, or any other bytes."""
        frames = self._frames
        if not frames:
            if not self._turn.is_open:
                self.transport.write(data)
                return
            self._turn.add(self)
        frames.append(data)
        self._size_bytes += len(data)
        if self._size_bytes > self.transport.bufferSize:
            self.flush()

    def flush(self) -> None:
        """Write what was gathered. To be called before the transport is told to close."""
        frames = self._frames
        if not frames:
            return
        self._frames, self._size_bytes = [], 0
        self._write_now(frames[0] if len(frames) == 1 else b"".join(frames))

    def _write_now(self, data: bytes) -> None:
        transport = self.transport
        # _tempDataBuffer: what was written in this turn; dataBuffer: what an earlier one left.
        if (
            transport._tempDataBuffer
            or transport.dataBuffer
            or transport.disconnecting
            or not transport.connected
        ):
            transport.write(data)
            return
        try:
            sent = self._send(data)
        except OSError:
            sent = 0  # full, or broken: the reactor's own attempt finds out and reports it
        if sent != len(data):
            transport.write(data[sent:])


def can_gather(transport: object) -> bool:
    """Whether this is a TCP connection that nothing, such as TLS, stands in front of."""
    return isinstance(transport, Connection) and not getattr(transport, "TLS", False)
