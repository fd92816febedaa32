"""Polling: a GET is answered at once with whatever is there; the browser comes every 2 seconds."""

from orbited.transports.base import OneShotTransport

__all__ = ["Poll"]


class Poll(OneShotTransport):
    """Answers at once, with nothing if need be."""

    __slots__ = ()

    name = "poll"
    is_answered_at_once = True

    def next_deadline(self) -> float | None:
        """At once: what the session had to say, it has said when the transport was opened."""
        return self._last_write

    def tick(self, now: float) -> None:
        """Answer with nothing."""
        self.finish()
