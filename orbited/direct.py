# mypy: allow-untyped-calls
"""Writing to a socket without a turn of the reactor.

``transport.write`` of Twisted keeps the bytes and asks the reactor to call back when the socket
can be written to; for the small, single writes of a push server that registration costs more
than the send itself. When nothing is waiting, the bytes can as well be given to the kernel at
once. Whatever the kernel does not take goes the usual way, so order, back-pressure and the
handling of errors stay with Twisted.

A port that has seen one connection of ours makes ``LightServer`` of those that follow: it has this
way of writing itself, and leaves out what Twisted keeps for each connection to name it in a log.
"""

import sys
from collections.abc import Callable, Iterable
from errno import EWOULDBLOCK
from typing import Any

from twisted.internet.error import ConnectionDone, ConnectionLost
from twisted.internet.main import CONNECTION_DONE, CONNECTION_LOST
from twisted.internet.tcp import Connection, Port, Server
from twisted.python.failure import Failure

from orbited.holding import MAX_HELD, holding

__all__ = ["LightServer", "direct_writer", "is_plain", "lighten", "unsent_bytes"]


class _Unkept:
    """An attribute that Twisted sets on each connection, and that nobody needs."""

    def __get__(self, connection: Any, owner: type) -> str:
        return "-"

    def __set__(self, connection: Any, value: Any) -> None:
        """Keep nothing."""


class _Descriptor:
    """The method ``fileno`` of a connection: the socket's, and not kept a second time."""

    def __get__(self, connection: Any, owner: type) -> Any:
        if connection is None:
            return self
        return connection.socket.fileno if hasattr(connection, "socket") else _closed_fileno

    def __set__(self, connection: Any, value: Any) -> None:
        """Twisted: the socket's."""

    def __delete__(self, connection: Any) -> None:
        """Twisted: it is closed."""


def _closed_fileno() -> int:
    return -1


class _WrittenServer(Server):
    """What each write looks at, side by side.

    A message to a thousand browsers finds nothing of a connection in the processor's cache, for the
    kernel has been there; a dictionary of attributes is a dozen places in memory.
    """

    __slots__ = ("_tempDataLen", "connected", "dataBuffer", "disconnecting", "held_bytes",
                 "protocol", "socket")  # fmt: skip


class LightServer(_WrittenServer):
    """An accepted connection that takes half a kilobyte less than Twisted's own."""

    __slots__ = ("_tempDataBuffer", "client", "disconnected", "hostname", "offset",
                 "producer", "producerPaused", "reactor", "server", "sessionno",
                 "streamingProducer")  # fmt: skip

    logstr = _Unkept()  # of each: the number of a connection says nothing in our logs
    repstr = _Unkept()
    fileno = _Descriptor()

    def __init__(self, *arguments: Any) -> None:
        self.held_bytes = 0
        self.dataBuffer = b""
        self.offset = 0
        self.disconnecting = self.disconnected = False
        self.producer = None
        self.streamingProducer = self.producerPaused = False
        super().__init__(*arguments)
        self.hostname = host = sys.intern(str(self.client[0]))  # a proxy's is that of all
        self.client = (host, *self.client[1:])

    def __repr__(self) -> str:
        port = getattr(self.server, "_realPortNumber", None)
        return f"<connection #{self.sessionno} on {port}>"

    def doRead(self) -> ConnectionLost | ConnectionDone | None:  # type: ignore[override]
        """Twisted: there are bytes to read."""
        try:
            data = self.socket.recv(self.bufferSize)
        except OSError as error:
            return None if error.errno == EWOULDBLOCK else CONNECTION_LOST
        if not data:
            return CONNECTION_DONE
        self.protocol.dataReceived(data)
        return None

    def connectionLost(self, reason: Failure) -> None:
        """Twisted: it is gone."""
        if self.held_bytes:
            holding.release()
        super().connectionLost(reason)

    def write_now(self, data: bytes) -> None:
        """Give bytes to the kernel at once if nothing waits, else to Twisted."""
        # _tempDataLen: what was written in this turn; dataBuffer: what an earlier one left.
        if self.held_bytes:
            holding.release()
        if self._tempDataLen or self.dataBuffer or self.disconnecting or not self.connected:
            self.write(data)
            return
        if holding.is_on:
            self.held_bytes = len(data)
            connections = holding.connections
            connections.append(self)
            holding.sockets.append(self.socket)
            holding.chunks.append(data)
            if len(connections) == MAX_HELD:
                holding.release()
            return
        try:
            sent = self.socket.send(data)
        except OSError:
            sent = 0  # full, or broken: the reactor's own attempt finds out and reports it
        if sent != len(data):
            self.write(data[sent:])

    def write(self, data: bytes) -> None:
        """Twisted: send, soon."""
        if self.held_bytes:
            holding.release()
        super().write(data)

    def writeSequence(self, iovec: Iterable[bytes]) -> None:
        """Twisted: send these, soon."""
        if self.held_bytes:
            holding.release()
        super().writeSequence(iovec)


def lighten(transport: Any) -> None:
    """Have the port that made this transport make light ones from now on, if they can be."""
    port: Any = getattr(transport, "server", None)
    if type(transport) is Server and isinstance(port, Port) and port.transport is Server:
        port.transport = LightServer  # type: ignore[assignment]


def is_plain(transport: Any) -> bool:
    """Whether what is written to this transport is what the socket gets: TCP without TLS."""
    return isinstance(transport, Connection) and not getattr(transport, "TLS", False)


def direct_writer(transport: Any) -> Callable[[bytes], None]:
    """Return the quickest correct way to write to this transport."""
    if not is_plain(transport):
        return transport.write  # type: ignore[no-any-return]
    if isinstance(transport, LightServer):
        return transport.write_now
    send = transport.socket.send

    def write(data: bytes) -> None:  # as LightServer.write_now
        if (
            transport._tempDataLen
            or transport.dataBuffer
            or transport.disconnecting
            or not transport.connected
        ):
            transport.write(data)
            return
        try:
            sent = send(data)
        except OSError:
            sent = 0  # full, or broken: the reactor's own attempt finds out and reports it
        if sent != len(data):
            transport.write(data[sent:])

    return write


def unsent_bytes(transport: Any) -> int:
    """How much of what was written the kernel has not taken yet, as far as that can be known."""
    if not isinstance(transport, Connection):
        transport = getattr(transport, "transport", None)  # below TLS
    if not isinstance(transport, Connection):
        return 0
    any_transport: Any = transport
    waiting = len(any_transport.dataBuffer) - any_transport.offset
    waiting += getattr(transport, "held_bytes", 0)
    return int(waiting + any_transport._tempDataLen)
