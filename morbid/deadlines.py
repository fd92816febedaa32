"""The time limits of one connection: when each ends, and what is said then. No clock.

Times are seconds on whatever clock the caller uses; None is never.
"""

from __future__ import annotations

from morbid.errors import (
    DECISION_TIMEOUT,
    FRAME_TIMEOUT,
    HEART_BEAT_TIMEOUT,
    LOGIN_TIMEOUT,
    SESSION_EXPIRED,
    Refusal,
)
from morbid.limits import Limits
from stompservice.protocol.heartbeat import SEND_EARLY


class Deadlines:
    """What a connection has to do, or must have done, by when.

    Attributes:
        moved: one was set since ``earliest`` was last asked, so a timer may be late.
        silent_at: when the peer counts as gone if nothing comes; None is never.
    """

    __slots__ = (
        "_beat_at",
        "_beat_seconds",
        "_decide_by",
        "_expires_at",
        "_frame_by",
        "_limits",
        "_login_by",
        "_silence_seconds",
        "_subscriptions_end_at",
        "moved",
        "silent_at",
    )

    def __init__(self, limits: Limits, now: float) -> None:
        self._limits = limits
        self._login_by: float | None = now + limits.login_seconds
        self._decide_by: float | None = None
        self._frame_by: float | None = None
        self._expires_at: float | None = None
        self._subscriptions_end_at: float | None = None
        self._beat_seconds = 0.0
        self._beat_at: float | None = None
        self._silence_seconds = 0.0
        self.silent_at: float | None = None
        self.moved = True

    def earliest(self) -> float | None:
        """The next of them all."""
        self.moved = False
        times = (
            self._login_by,
            self._decide_by,
            self._frame_by,
            self._expires_at,
            self._subscriptions_end_at,
            self.silent_at,
            self._beat_at,
        )
        return min((at for at in times if at is not None), default=None)

    def passed(self, now: float) -> Refusal | None:
        """What a peer has to be told that is too late."""
        table = (
            (self._login_by, LOGIN_TIMEOUT),
            (self._decide_by, DECISION_TIMEOUT),
            (self._frame_by, FRAME_TIMEOUT),
            (self._expires_at, SESSION_EXPIRED),
            (self.silent_at, HEART_BEAT_TIMEOUT),
        )
        for at, refusal in table:
            if at is not None and now >= at:
                return refusal
        return None

    def beat_is_due(self, now: float) -> bool:
        """Whether we owe a heart-beat; if so, the next one is planned."""
        if self._beat_at is None or now < self._beat_at:
            return False
        self._beat_at = now + self._beat_seconds
        return True

    def logged_in(self, send_ms: int, expect_ms: int, now: float) -> None:
        """The peer was let in, and these heart-beats were agreed; 0 is none."""
        self._login_by = None
        if send_ms:
            self._beat_seconds = send_ms / 1000 * SEND_EARLY
            self._beat_at = now + self._beat_seconds
        if expect_ms:
            self._silence_seconds = expect_ms / 1000 * self._limits.heart_beat_grace
            self.silent_at = now + self._silence_seconds
        self.moved = True

    def received(self, now: float) -> None:
        """Any byte from the peer counts as life."""
        if self.silent_at is not None:
            self.silent_at = now + self._silence_seconds

    def decision_begins(self, now: float) -> None:
        """We may not be reading meanwhile, so only this counts."""
        self._decide_by = now + self._limits.decision_seconds
        self._frame_by = self.silent_at = None
        self.moved = True

    def decision_ends(self, now: float) -> None:
        """Reading goes on."""
        self._decide_by = None
        if self._silence_seconds:
            self.silent_at = now + self._silence_seconds
            self.moved = True

    def frame_begins(self, now: float) -> None:
        """The first bytes of a frame are here, not the last."""
        self._frame_by = now + self._limits.frame_seconds
        self.moved = True

    def frame_ends(self) -> None:
        """No frame is incomplete."""
        self._frame_by = None

    @property
    def is_within_frame(self) -> bool:
        """Whether a frame is incomplete."""
        return self._frame_by is not None

    def expires(self, at: float | None) -> None:
        """What the peer logged in with is good until then."""
        if at != self._expires_at:
            self._expires_at = at
            self.moved = True

    def subscriptions_end(self, at: float | None) -> None:
        """The first of the subscriptions that end by themselves does so then."""
        if at != self._subscriptions_end_at:
            self._subscriptions_end_at = at
            self.moved = True

    def subscriptions_have_ended(self, now: float) -> bool:
        """Whether one of them has to be looked at."""
        return self._subscriptions_end_at is not None and now >= self._subscriptions_end_at
