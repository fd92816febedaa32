"""Answers to POSTs, held while the back end is slow.

A browser has one POST under way at a time, so one that is not answered keeps it from sending more.
What it has sent has been taken; of what comes all the same only small bodies are let in, which can
hold no more than pings and a close.
"""

from collections.abc import Sequence

from orbited.http import Exchange
from orbited.protocol.session import Malformed, Refused

__all__ = ["PostGate", "refuse"]

#: A body no larger than this is let in at any time.
SMALL_POST_BYTES = 512

_Headers = Sequence[tuple[str, str]]


class PostGate:
    """Open: POSTs are answered at once. Closed: the answer waits until it opens, or for so long.

    Attributes:
        deadline: when ``tick`` has something to do.
    """

    __slots__ = ("_has_taken", "_held", "_hold_seconds", "deadline", "is_open")

    def __init__(self, hold_seconds: float) -> None:
        self._hold_seconds = hold_seconds
        self._held: list[tuple[Exchange, _Headers]] = []
        self._has_taken = False
        self.is_open = True
        self.deadline: float | None = None

    def admits(self, size: int) -> bool:
        """Whether a body of that size may be taken: while closed, one large one at most."""
        if size <= SMALL_POST_BYTES:
            return True
        if self.is_open:
            return True
        is_first, self._has_taken = not self._has_taken, True
        return is_first

    def answer(self, exchange: Exchange, headers: _Headers, now: float) -> None:
        """Say ``OK``, now or later."""
        if self.is_open:
            exchange.reply(200, b"OK", headers)
        else:
            self._held.append((exchange, headers))
            if self.deadline is None:
                self.deadline = now + self._hold_seconds

    def close(self) -> None:
        """The back end cannot take more."""
        self.is_open = False

    def open(self) -> None:
        """The back end can go on."""
        self.is_open = True
        self._has_taken = False
        self._release()

    def tick(self, now: float) -> None:
        """Nobody is kept waiting for longer than allowed."""
        if self.deadline is not None and now >= self.deadline:
            self._release()

    def _release(self) -> None:
        held, self._held, self.deadline = self._held, [], None
        for exchange, headers in held:
            exchange.reply(200, b"OK", headers)


def refuse(
    exchange: Exchange,
    objection: Malformed | Refused,
    headers: _Headers,
    retry_after: int,
    *,
    has_ended: bool,
) -> None:
    """Say that a body was not taken, and whether it makes sense to send it again.

    Args:
        has_ended: the session is no more; else, if it is closing, its browser has yet to read so.
    """
    if isinstance(objection, Malformed):
        exchange.reply(400, f"This is not a list of packets: {objection.problem}.\n", headers)
    elif has_ended:
        exchange.reply(404, "The session was closing, and has ended.\n", headers)
    else:
        headers = [*headers, ("Retry-After", str(retry_after))]
        exchange.reply(503, "The session is closing and takes no more data.\n", headers)
