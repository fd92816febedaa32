"""The numbers of the game: what the world is made of, and how long things take in it.

Lengths are in units: a floe is 2000 of them wide, and all positions go over the wire as whole ones.
Times are in ticks wherever the world counts; `Rules.ticks` makes them of seconds. The page gets the
same numbers, since it moves its own puck ahead of the server by them.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Final

TICKS_PER_SECOND: Final = 20
"""How often the world moves, and is told to everybody."""

STEPS_PER_TICK: Final = 2
"""A puck at its fastest moves less than its own width in one step: none flies through another."""

STEERING: Final = 100
"""How hard one can steer at most; pages send whole numbers from -100 to 100."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What the world goes by.

    Attributes:
        radius: of the floe when a round begins.
        least_radius: of what is left of it when the round ends.
        puck: the radius of a player.
        fish: the radius of a fish.
        push: how hard steering pushes, in units/s².
        drag: which share of its speed a puck loses, per second.
        brake: the same, of a puck whose page is not heard.
        dash: how much faster a dash makes it, in units/s.
        max_speed: faster than that is nobody, in units/s.
        bounce: how much of their speed against each other two pucks keep; 1 is all.
        fish_points: for catching a fish.
        push_points: for pushing somebody into the sea.
        dash_seconds: from one dash to the next.
        credit_seconds: how long after a touch a fall counts for who has touched.
        sunk_seconds: how long somebody is in the sea.
        shield_seconds: how long nobody can touch somebody who has just come out of it.
        round_seconds: of a round.
        break_seconds: from its end to the next one.
        stale_seconds: who is not heard for so long is not pushed on any more, and brakes.
        asleep_seconds: who is not heard for so long sleeps: nobody can push a sleeper.
        gone_seconds: who sleeps for so long is taken off the floe.
        remembered_seconds: and comes back to the same place within this time.
        max_players: on the floe, sleepers too.
        max_remembered: of those taken off it.
    """

    radius: int = 1000
    least_radius: int = 450
    puck: int = 56
    fish: int = 26
    push: float = 1500.0
    drag: float = 1.7
    brake: float = 7.0
    dash: float = 750.0
    max_speed: float = 1900.0
    bounce: float = 0.95
    fish_points: int = 1
    push_points: int = 3
    dash_seconds: float = 1.5
    credit_seconds: float = 4.0
    sunk_seconds: float = 1.5
    shield_seconds: float = 1.5
    round_seconds: float = 90.0
    break_seconds: float = 7.0
    stale_seconds: float = 0.5
    asleep_seconds: float = 3.0
    gone_seconds: float = 60.0
    remembered_seconds: float = 600.0
    max_players: int = 30
    max_remembered: int = 200

    def ticks(self, seconds: float) -> int:
        """Give a time in ticks, at least one."""
        return max(1, round(seconds * TICKS_PER_SECOND))

    def for_page(self) -> dict[str, float]:
        """Give what a page has to know."""
        numbers = {
            name: value for name, value in asdict(self).items() if not name.startswith("max_r")
        }
        return {
            **numbers,
            "ticks_per_second": TICKS_PER_SECOND,
            "steps_per_tick": STEPS_PER_TICK,
            "steering": STEERING,
        }
