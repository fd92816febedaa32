"""Long polling: a GET is held until there is something to say, and asked again at once."""

from orbited.transports.base import OneShotTransport, Session

__all__ = ["LongPoll"]


class LongPoll(OneShotTransport):
    """Answers with the first packets, or with nothing when none came in time."""

    __slots__ = ("_opened_at",)

    name = "longpoll"

    def open(self, session: Session, now: float) -> bool:
        """Hold the request."""
        self._opened_at = now
        return super().open(session, now)

    def next_deadline(self) -> float | None:
        """When the request has been held long enough."""
        return self._opened_at + self.settings.longpoll_seconds

    def tick(self, now: float) -> None:
        """End an empty poll; the browser asks again."""
        if now >= self._opened_at + self.settings.longpoll_seconds:
            self.finish()
