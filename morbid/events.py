"""What a broker session tells its shell."""

from __future__ import annotations

from dataclasses import dataclass

from morbid.mqsecurity import Pending


@dataclass(frozen=True, slots=True)
class LoggedIn:
    """The peer was let in."""

    login: str
    version: str


@dataclass(frozen=True, slots=True)
class Waiting:
    """Call ``session.decide(token, answer, now)`` when ``pending`` has an answer."""

    pending: Pending
    token: int


@dataclass(frozen=True, slots=True)
class Failed:
    """An authenticator, authorizer or reviewer raised; it was taken for a refusal."""

    error: BaseException


@dataclass(frozen=True, slots=True)
class Closed:
    """Close the connection when what was written is sent.

    Attributes:
        code: of the ERROR that was the reason; None after DISCONNECT.
    """

    code: str | None


Event = LoggedIn | Waiting | Failed | Closed
