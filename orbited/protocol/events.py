"""What a session says of itself: where it is in its life, and what has happened."""

import enum
from dataclasses import dataclass

__all__ = [
    "Carrier",
    "Closed",
    "DataReceived",
    "Ended",
    "Event",
    "Malformed",
    "Refused",
    "State",
]


class State(enum.Enum):
    """Where a session is in its life."""

    OPEN = "open"
    CLOSING = "closing"  # no more application bytes; the close packet is not acknowledged yet
    ENDED = "ended"  # nothing is left to tell; the key means nothing any more


@dataclass(frozen=True, slots=True)
class Carrier:
    """What a session has to know about a kind of transport.

    Args:
        is_atomic: what it carries arrives whole or not at all, so an ``ack`` proves ``open``.
        acknowledges: upstream packets are acknowledged on it (WebSocket).
    """

    is_atomic: bool
    acknowledges: bool = False


@dataclass(frozen=True, slots=True)
class DataReceived:
    """One upstream data packet; its bytes are for the application."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Malformed:
    """A body was not understood; nothing of it was applied."""

    problem: str


@dataclass(frozen=True, slots=True)
class Refused:
    """Data came for a session that is closing: nobody will read it, and it was not accepted."""


@dataclass(frozen=True, slots=True)
class Closed:
    """No application bytes flow any more, in either direction."""

    reason: str


@dataclass(frozen=True, slots=True)
class Ended:
    """The session may be forgotten, key and all."""

    reason: str


Event = DataReceived | Malformed | Refused | Closed | Ended
