"""Writing to a socket without a turn of the reactor.

``transport.write`` of Twisted keeps the bytes and asks the reactor to call back when the socket
can be written to; for the small, single writes of a push server that registration costs more
than the send itself. When nothing is waiting, the bytes can as well be given to the kernel at
once. Whatever the kernel does not take goes the usual way, so order, back-pressure and the
handling of errors stay with Twisted.
"""

from collections.abc import Callable
from typing import Any

from twisted.internet.tcp import Connection

__all__ = ["direct_writer", "is_plain", "unsent_bytes"]


def is_plain(transport: Any) -> bool:
    """Whether what is written to this transport is what the socket gets: TCP without TLS."""
    return isinstance(transport, Connection) and not getattr(transport, "TLS", False)


def direct_writer(transport: Any) -> Callable[[bytes], None]:
    """Return the quickest correct way to write to this transport."""
    if not is_plain(transport):
        return transport.write  # type: ignore[no-any-return]
    send = transport.socket.send

    def write(data: bytes) -> None:
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
