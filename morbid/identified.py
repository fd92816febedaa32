"""Whose connection it is, and how it is known by."""

from __future__ import annotations

from collections.abc import Mapping

from morbid.broker import Broker
from morbid.mqsecurity import Named
from morbid.outgoing import Outgoing

__all__ = ["Identified"]


class Identified(Outgoing):
    """A connection with a number and, once it was let in, an identity.

    Attributes:
        identity: who it is, once let in.
        number: of the connection, counted since the start of the broker.
    """

    __slots__ = ("identity", "number")

    def __init__(self, broker: Broker) -> None:
        super().__init__(broker)
        self.identity: Named | None = None
        broker.counters.connections_total += 1
        self.number = broker.counters.connections_total

    def account(self) -> dict[str, object]:
        """Tell the site who it is: the part that all its advisories have."""
        told: dict[str, object] = {
            "login": self.login,
            "session": self.claim,
            "connection": self.number,
        }
        about = getattr(self.identity, "about", None)
        if isinstance(about, Mapping) and about:
            told["about"] = dict(about)
        return told

    def subscribed_destinations(self) -> list[str]:
        """List what it is subscribed to; what has lapsed is not."""
        subscriptions = self.subscriptions.by_key.values()
        return [each.destination for each in subscriptions if each.source is not None]

    @property
    def login(self) -> str:
        """The name it was let in under; empty before that."""
        return self.identity.name if self.identity is not None else ""

    @property
    def claim(self) -> str | None:
        """The session claim of its identity."""
        claim = getattr(self.identity, "session", None)
        return claim if isinstance(claim, str) else None

    def belongs_to(self, login: str | None, session: str | None) -> bool:
        """Whether it has this login name, or carries this session claim."""
        return (login is not None and self.login == login) or (
            session is not None and self.claim == session
        )
