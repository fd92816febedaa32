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
from collections.abc import Callable
from errno import EWOULDBLOCK
from typing import Any

from twisted.internet.error import ConnectionDone, ConnectionLost
from twisted.internet.main import CONNECTION_DONE, CONNECTION_LOST
from twisted.internet.tcp import Connection, Port, Server
from twisted.python.failure import Failure

__all__ = ["LightServer", "direct_writer", "is_plain", "lighten", "unsent_bytes"]


class LightServer(Server):
    """An accepted connection that takes some 500 bytes less than Twisted's own."""

    logstr = "-"  # of each: the number of a connection says nothing in our logs

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.hostname = host = sys.intern(str(self.client[0]))  # a proxy's is that of all
        self.client = (host, *self.client[1:])
        del self.logstr, self.repstr
        del self.fileno  # the method below will do
        # As attributes of its own they are found more quickly than those of the class.
        self.dataBuffer = b""
        self.disconnecting = False

    def __repr__(self) -> str:
        port = getattr(self.server, "_realPortNumber", None)
        return f"<connection #{self.sessionno} on {port}>"

    def fileno(self) -> int:
        """The descriptor; -1 once it is closed."""
        return int(self.socket.fileno()) if hasattr(self, "socket") else -1

    def connectionLost(self, reason: Failure) -> None:
        """Twisted: it is gone."""
        if hasattr(self, "socket"):
            self.fileno = self.socket.fileno  # type: ignore[method-assign]  # Twisted deletes it
        super().connectionLost(reason)

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

    def write_now(self, data: bytes) -> None:
        """Give bytes to the kernel at once if nothing waits, else to Twisted."""
        # _tempDataBuffer: what was written in this turn; dataBuffer: what an earlier one left.
        if self._tempDataBuffer or self.dataBuffer or self.disconnecting or not self.connected:
            self.write(data)
            return
        try:
            sent = self.socket.send(data)
        except OSError:
            sent = 0  # full, or broken: the reactor's own attempt finds out and reports it
        if sent != len(data):
            self.write(data[sent:])


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
            transport._tempDataBuffer
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
    return int(waiting + any_transport._tempDataLen)
