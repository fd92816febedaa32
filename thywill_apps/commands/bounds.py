"""What bounds the whiteboard; settings.py may say otherwise: ``WHITEBOARD = {"max_strokes": 50}``.

A name that is none, or a value of another kind, is one sentence when the site starts.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Final

from thywill_server.application import own_settings

WIDTH: Final = 1200
HEIGHT: Final = 1000
"""The size of the board; points of strokes are whole numbers within it."""

INKS: Final = ("ink", "red", "orange", "green", "blue", "violet")

MAX_PEN: Final = 40
"""The widest pen."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """The settings of the whiteboard, with their defaults.

    Attributes:
        max_strokes: how many the board keeps; the oldest go.
        max_board_bytes: how large they may be together, as JSON. The site's ``max_state_bytes``
            has to have room for them and for the people.
        max_points: of one stroke.
        max_people: how many may draw at once; others look on.
        max_name: characters of a name.
        draw_rate: how often one browser may draw a stroke.
        cursor_rate: how often it may tell where its pen is.
    """

    max_strokes: int = 300
    max_board_bytes: int = 45_000
    max_points: int = 400
    max_people: int = 60
    max_name: int = 24
    draw_rate: str = "60/10s"
    cursor_rate: str = "120/10s"


@cache
def bounds() -> Bounds:
    """Give the site's bounds.

    Raises:
        ImproperlyConfigured: ``WHITEBOARD`` is wrong.
    """
    return own_settings("WHITEBOARD", Bounds)
