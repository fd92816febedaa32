"""Who is on the floe, and what a page may ask of its player."""

from __future__ import annotations

import math
from dataclasses import dataclass

from thywill_apps.floe.bodies import Body
from thywill_apps.floe.rules import STEERING


@dataclass(frozen=True, slots=True)
class Steering:
    """What a page says: where to, and nothing of where it is. That is the world's to know.

    Attributes:
        number: grows with each change; the page learns from it which one the world goes by.
        x: to the right, -1 to 1; with y never longer than 1.
        y: downwards.
        dashes: how many dashes the page has asked for so far.
        is_resting: whether the player pauses.
    """

    number: int
    x: float = 0.0
    y: float = 0.0
    dashes: int = 0
    is_resting: bool = False

    @classmethod
    def of(cls, number: int, x: int, y: int, dashes: int = 0, is_resting: bool = False) -> Steering:
        """Make one of what came from a page; whoever asks for more gets as much as all others."""
        x, y = (max(-STEERING, min(each, STEERING)) for each in (x, y))
        length = max(math.hypot(x, y), STEERING)
        return cls(number, x / length, y / length, dashes, is_resting)


@dataclass(slots=True)
class Player:
    """One player.

    Attributes:
        id: the number by which pages know it.
        key: what brings it back; known to its page only.
        name: as others read it.
        body: where it is.
        score: of this round.
        steering: what it does.
        held: for how many ticks it has been doing that.
        heard_at: the tick at which its page was heard last.
        is_asleep: whether it was not heard for long, or pauses.
        dash_at: the tick from which on it may dash.
        sunk_until: the tick until which it is in the sea; 0 when it is not.
        shield_until: the tick until which nobody can touch it.
        touched_by: the id of who has touched it last.
        touched_at: when that was.
    """

    id: int
    key: str
    name: str
    body: Body
    score: int = 0
    steering: Steering = Steering(0)
    held: int = 0
    heard_at: int = 0
    is_asleep: bool = False
    dash_at: int = 0
    sunk_until: int = 0
    shield_until: int = 0
    touched_by: int = 0
    touched_at: int = 0

    def is_solid(self, tick: int) -> bool:
        """Whether others bump into it."""
        return not self.is_asleep and not self.sunk_until and tick >= self.shield_until


@dataclass(frozen=True, slots=True)
class Place:
    """What is remembered of a player that was taken off the floe."""

    id: int
    x: float
    y: float
    score: int
    round: int
    left_at: int
