"""What can go wrong, by whose fault it is.

::

    StompError
    +-- FrameError                 the peer sent bytes that are not a STOMP frame
    |   +-- FrameLimitError        ... or a frame beyond our limits
    +-- ProtocolError              the peer sent a good frame where it has no place
    +-- ConnectionFailedError      the connection is over
    |   +-- BrokerError            ... because the broker sent ERROR
    |   +-- HeartBeatError         ... because nothing came for too long
    +-- UsageError                 we were called wrongly
        +-- EncodeError            a frame that this version of STOMP cannot carry
        +-- QueueFull              more was handed in than the configured bound
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from stompservice.protocol.frame import Frame


class StompError(Exception):
    """Everything that this package raises."""


class FrameError(StompError):
    """The peer sent bytes that are not a STOMP frame; nothing after them can be read.

    Attributes:
        command: of the frame that broke the rules, as far as it was read, else None.
        receipt: its ``receipt`` header, for the ``receipt-id`` of an ERROR, else None.
    """

    def __init__(
        self, message: str, *, command: str | None = None, receipt: str | None = None
    ) -> None:
        super().__init__(message)
        self.command = command
        self.receipt = receipt


class FrameLimitError(FrameError):
    """The peer's frame is beyond one of our limits."""


class ProtocolError(StompError):
    """The peer sent a well-formed frame where the protocol has no place for it."""


class ConnectionFailedError(StompError):
    """The connection is over; what was waiting for it will not be answered."""


class BrokerError(ConnectionFailedError):
    """The broker answered with an ERROR frame, here as ``frame``."""

    def __init__(self, frame: Frame) -> None:
        super().__init__(frame.headers.get("message") or "ERROR without a message")
        self.frame = frame


class HeartBeatError(ConnectionFailedError):
    """Nothing came from the peer for longer than was agreed."""


class UsageError(StompError, ValueError):
    """We were called wrongly: the caller's mistake, found before anything is sent."""


class EncodeError(UsageError):
    """This frame cannot be written in this version of STOMP."""


class QueueFull(UsageError):  # noqa: N818
    """The bounded queue holds as much as it may; nothing was taken."""
