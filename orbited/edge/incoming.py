"""The seam between a connection and whoever answers its requests."""

from typing import Protocol

from twisted.python.failure import Failure

__all__ = ["Incoming"]


class Incoming(Protocol):
    """What a request becomes: it takes the body, and answers on the connection."""

    @property
    def status(self) -> int:
        """Of the answer; 0 before it has begun."""

    def receive_body(self, data: bytes) -> None:
        """A piece of the body came."""

    def complete(self) -> None:
        """The whole body is there."""

    def fail(self) -> None:
        """``complete`` raised something."""

    def lose(self, reason: Failure) -> None:
        """The connection is gone; nothing can be answered any more."""
