"""Long polling: a GET is held until there is something to say, and asked again at once."""

from orbited.transports.base import OneShotTransport, Session

__all__ = ["LongPoll"]

#: After so long there is probably nothing to say for long; most polls on a busy day end before.
SETTLE_SECONDS = 1.0


class LongPoll(OneShotTransport):
    """Answers with the first packets, or with nothing when none came in time."""

    __slots__ = ("_is_settled", "_opened_at")

    name = "longpoll"
    gathers = True

    def open(self, session: Session, now: float) -> bool:
        """Hold the request."""
        self._opened_at = now
        self._is_settled = False
        is_open = super().open(session, now)
        self.exchange.again(self._reopen)
        return is_open

    def _reopen(self, ack: int, body: bytes, now: float) -> bool:
        """Hold a request that comes again. The hot path."""
        self.is_finished = self._is_settled = False
        self._opened_at = now
        due = now + SETTLE_SECONDS
        if self.settings.longpoll_seconds < SETTLE_SECONDS:
            due = now + self.settings.longpoll_seconds
        if not self._session.reopen(self, ack, now, due):
            self.is_finished = True
            return False
        if not self.is_finished:
            self.exchange.on_lost(self._lost)
        return True

    def next_deadline(self) -> float | None:
        """When the request has been held long enough, to forget about it or to end it."""
        seconds = self.settings.longpoll_seconds
        return self._opened_at + (seconds if self._is_settled else min(SETTLE_SECONDS, seconds))

    def tick(self, now: float) -> None:
        """End an empty poll; the browser asks again."""
        if now >= self._opened_at + self.settings.longpoll_seconds:
            self.finish()
        elif now >= self._opened_at + SETTLE_SECONDS and not self._is_settled:
            self._is_settled = True
            self.exchange.settle()
