"""What bounds the ratings; a site sets others in settings.py: ``RATINGS = {"max_clients": 50}``.

A name that is none, or a value of another kind, is one sentence when the site starts.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from thywill_server.application import own_settings


@dataclass(frozen=True, slots=True)
class Bounds:
    """The settings of the ratings, with their defaults.

    Attributes:
        max_clients: pages that may take part at the same time; one more is refused.
        max_characters: of one message, and of the topic.
        messages_kept: how many messages the model holds; the oldest leave it.
        points_kept: how many seconds with a change the plot shows; the oldest leave it.
        messages_a_second: that all pages together may add.
        messages_a_minute: that one page may add.
        changes_a_second: that one page may make otherwise.
        publish_seconds: between two publications of the ratings; what changes meanwhile goes
            together.
        alive_seconds: between two signs of life; a page that misses three says so.
        picture_seconds: between two drawings of Chaco's plot.
        absent_seconds: after a restart, how long the rating of a page that does not come back
            still counts.
    """

    max_clients: int = 1000
    max_characters: int = 500
    messages_kept: int = 100
    points_kept: int = 300
    messages_a_second: int = 20
    messages_a_minute: int = 30
    changes_a_second: int = 10
    publish_seconds: float = 0.1
    alive_seconds: float = 1.0
    picture_seconds: float = 2.0
    absent_seconds: float = 30.0


@cache
def bounds() -> Bounds:
    """Give the site's bounds.

    Raises:
        ImproperlyConfigured: ``RATINGS`` is wrong.
    """
    return own_settings("RATINGS", Bounds)
