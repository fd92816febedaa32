"""The model: a talk that is rated while it goes on. It knows no browsers, no STOMP and no window.

Whoever wants to know of a change observes a trait; pages, the picture and the desktop window are
three observers among others.
"""

from __future__ import annotations

import time
from collections import deque
from typing import Any, Final

from traits.api import Dict, Event, Float, HasTraits, Int, List, Property, Range, Str, Tuple

LEAST: Final = 1
MOST: Final = 5


class RatedTalk(HasTraits):
    """A topic, what is said about it, and a rating from each client.

    Attributes:
        topic: what is rated.
        messages: what was said, oldest first: each a dict of ``id``, ``by``, ``text``, ``at``
            (seconds since the epoch).
        message_added: fires with each of them.
        connection_ratings: a whole number of 1 to 5 by client.
        mean: of the ratings; 0.0 while there is none.
        distribution: how many rate 1, 2, 3, 4 and 5.
        points: (second since the epoch, mean, number of ratings), for each second with a change.
        clock: gives seconds since the epoch.
    """

    topic = Str("This talk")
    messages = List(Dict)
    message_added = Event()
    connection_ratings = Dict(Str, Range(LEAST, MOST))
    mean = Property(Float, observe="connection_ratings.items")
    distribution = Property(List(Int), observe="connection_ratings.items")
    points = List(Tuple())

    messages_kept = Int(100)
    points_kept = Int(300)

    def __init__(self, clock: Any = time.time, **traits: Any) -> None:
        super().__init__(**traits)
        self._clock = clock
        self._known: deque[str] = deque(
            (message["id"] for message in self.messages), maxlen=10 * self.messages_kept
        )
        self.observe(self._add_point, "connection_ratings.items")

    def add_message(self, by: str, text: str, message_id: str) -> bool:
        """Add a message, unless one of this id was added before; False then."""
        if message_id in self._known:
            return False
        self._known.append(message_id)
        message = {"id": message_id, "by": by, "text": text, "at": round(self._clock(), 3)}
        self.messages.append(message)
        del self.messages[: -self.messages_kept]
        self.message_added = message
        return True

    def rate(self, client: str, rating: int | None) -> None:
        """Set the rating of a client; None takes it back.

        Raises:
            TraitError: it is no whole number of 1 to 5.
        """
        if rating is None:
            self.connection_ratings.pop(client, None)
        elif self.connection_ratings.get(client) != rating:
            self.connection_ratings[client] = rating

    def _get_mean(self) -> float:
        ratings = self.connection_ratings.values()
        return round(sum(ratings) / len(ratings), 4) if ratings else 0.0

    def _get_distribution(self) -> list[int]:
        ratings = list(self.connection_ratings.values())
        return [ratings.count(rating) for rating in range(LEAST, MOST + 1)]

    def _add_point(self, _: Any) -> None:
        # One point a second is all that a plot can show.
        point = (int(self._clock()), self.mean, len(self.connection_ratings))
        points = [each for each in self.points[-self.points_kept :] if each[0] < point[0]]
        self.points = [*points, point][-self.points_kept :]
