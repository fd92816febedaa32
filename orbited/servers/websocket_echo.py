"""An echo for WebSockets: each message comes back as it was, text as text, binary as binary.

It is built on what sessions and bridges are built on, so that a suite of protocol tests can be
run against that; see how-to/work-on-the-project.
"""

from twisted.internet.interfaces import IReactorTime

from orbited.upgrade import Handshake

__all__ = ["WebSocketEcho"]


class WebSocketEcho:
    """One connection; a client that does not read is not read from either."""

    def __init__(self, handshake: Handshake, clock: IReactorTime) -> None:
        self._connection = handshake.finish(self, clock)

    def message_received(self, data: bytes, is_text: bool) -> None:
        """One message; the same goes back."""
        if is_text:
            self._connection.send_text(data)
        else:
            self._connection.send_binary(data)

    def connection_lost(self) -> None:
        """The client closes, or is gone."""

    def pauseProducing(self) -> None:
        """The client does not read."""
        self._connection.pause_reading()

    def resumeProducing(self) -> None:
        """The client reads again."""
        self._connection.resume_reading()
