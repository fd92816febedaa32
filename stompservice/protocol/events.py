"""What a `ClientSession` has to tell, in the order in which it happened."""

from __future__ import annotations

from dataclasses import dataclass

from stompservice.errors import EncodeError, StompError
from stompservice.protocol.frame import Frame
from stompservice.protocol.heartbeat import Beat


@dataclass(frozen=True, slots=True)
class Connected:
    """The broker let us in; what was kept is on its way."""

    frame: Frame
    version: str
    heart_beat: Beat


@dataclass(frozen=True, slots=True)
class Message:
    """A MESSAGE, for these of our subscriptions (more than one only in 1.0)."""

    frame: Frame
    subscriptions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Receipt:
    """The broker has handled the frame that asked for this receipt."""

    frame: Frame
    receipt_id: str


@dataclass(frozen=True, slots=True)
class Error:
    """The broker sent ERROR; `Ended` follows, except in 1.0."""

    frame: Frame
    receipt_id: str | None


@dataclass(frozen=True, slots=True)
class NotSent:
    """A frame that was kept cannot be written in the version that the broker chose."""

    frame: Frame
    error: EncodeError


@dataclass(frozen=True, slots=True)
class Ended:
    """It is over: close the connection. ``reason`` is None after our own DISCONNECT."""

    reason: StompError | None


Event = Connected | Message | Receipt | Error | NotSent | Ended
