"""Heart-beats: what two peers agree on, and when the next one is due.

Each side says ``heart-beat:CAN,WANT`` in milliseconds: how often it can promise a
byte, and how often it would like one; 0 is never. In each direction the slower of
promise and wish holds. A beat is one LF between two frames; any byte counts as life.

STOMP 1.1 and 1.2, "Heart-beating".
"""

from __future__ import annotations

import re
from typing import Final

from stompservice.errors import ProtocolError

Beat = tuple[int, int]
"""Two intervals in milliseconds, 0 where there is none."""

TOLERANCE: Final = 2.0
"""How many intervals may pass in silence: the receiver "SHOULD take into account" timing
inaccuracies; twice is what RabbitMQ allows."""

SEND_EARLY: Final = 0.9
"""Which part of an interval passes before our own beat, so that it is not late."""

MAX_INTERVAL_MS: Final = 86_400_000
"""A day; a longer interval is read as this."""

_BEAT: Final = re.compile(r"\s*([0-9]{1,18})\s*,\s*([0-9]{1,18})\s*", re.ASCII)


def parse_heart_beat(header: str | None) -> Beat:
    """Read a ``heart-beat`` header; absent means ``0,0``.

    Raises:
        ProtocolError: it is not two decimal numbers.
    """
    if header is None:
        return (0, 0)
    match = _BEAT.fullmatch(header)
    if match is None:
        raise ProtocolError(f"heart-beat is not two numbers: {header[:40]!r}")
    return (min(int(match[1]), MAX_INTERVAL_MS), min(int(match[2]), MAX_INTERVAL_MS))


def negotiate(ours: Beat, theirs: Beat) -> Beat:
    """Agree on heart-beat intervals for one connection; both ends call this.

    Args:
        ours: what we can send and want to get. The broker's own numbers bound from
            below what a client may ask for.
        theirs: the peer's ``heart-beat`` header, same order.

    Returns:
        (send every, expect every) in milliseconds, 0 where there is none.
    """
    can_send, want = ours
    peer_can_send, peer_wants = theirs
    return (
        max(can_send, peer_wants) if can_send and peer_wants else 0,
        max(want, peer_can_send) if want and peer_can_send else 0,
    )


class HeartBeat:
    """The two deadlines of one connection.

    Args:
        beat: (send every, expect every) as agreed, in milliseconds.
        now: seconds on any clock that only goes forward, here and below.
        tolerance: how many intervals of silence are forgiven.
    """

    def __init__(self, beat: Beat, now: float, tolerance: float = TOLERANCE) -> None:
        send_every_ms, expect_every_ms = beat
        self._send_after = send_every_ms / 1000 * SEND_EARLY
        self._expect_within = expect_every_ms / 1000 * tolerance
        self._sent_at = self._received_at = now

    def sent(self, now: float) -> None:
        """Bytes went to the peer."""
        self._sent_at = now

    def received(self, now: float) -> None:
        """Bytes came from the peer."""
        self._received_at = now

    def is_due(self, now: float) -> bool:
        """Whether we owe the peer a beat."""
        return bool(self._send_after) and now >= self._sent_at + self._send_after

    def is_missed(self, now: float) -> bool:
        """Whether the peer was silent for too long."""
        return bool(self._expect_within) and now >= self._received_at + self._expect_within

    def next_deadline(self) -> float | None:
        """When to ask again, None when no beats were agreed."""
        deadlines = []
        if self._send_after:
            deadlines.append(self._sent_at + self._send_after)
        if self._expect_within:
            deadlines.append(self._received_at + self._expect_within)
        return min(deadlines, default=None)
