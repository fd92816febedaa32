"""What goes out with each tick: one message for everybody, small, with whole numbers.

::

    {"t": 812,              the tick
     "r": 874,              the radius of the floe
     "l": 655,              how many ticks the round, or the break, has left
     "b": [[3, -120, 44, 310, -12, 0, 18, 5], ...]}

A row of ``b`` is a player: id, x, y, speed in x and y, what it is (1 asleep, 2 in the sea, 4
shielded, added), the number of the steering that it goes by, and for how many ticks it has. A
player without a row is as before. These come with what has changed only: ``w`` (who: id, name,
score), ``f`` (fish: id, x, y; all of them), ``g`` (gone: ids), ``n`` (news), and ``p`` (round,
whether it is the break). Once a second everything is told anew, with ``k``: from there a page can
begin, or go on after it has missed something.
"""

from __future__ import annotations

from typing import Any, Final

from thywill_apps.floe.players import Player
from thywill_apps.floe.rules import TICKS_PER_SECOND
from thywill_apps.floe.world import News, World

ASLEEP: Final = 1
IN_THE_SEA: Final = 2
SHIELDED: Final = 4

Row = list[int]


class Frames:
    """Makes the message of each tick; it remembers what was told."""

    def __init__(self) -> None:
        self._rows: dict[int, Row] = {}
        self._people: dict[int, list[Any]] = {}
        self._fish: list[Row] = []
        self._phase: list[int] = []

    def next(self, world: World, news: list[News]) -> dict[str, Any]:
        """Tell a tick: everything once a second, what has changed in between."""
        whole = whole_frame(world)
        rows = {row[0]: row[:7] for row in whole["b"]}
        people = {row[0]: row for row in whole["w"]}
        is_whole = world.tick % TICKS_PER_SECOND == 0
        frame = whole
        if not is_whole:
            del frame["k"]
            frame["b"] = [row for row in whole["b"] if rows[row[0]] != self._rows.get(row[0])]
            frame["w"] = [row for row in whole["w"] if row != self._people.get(row[0])]
            frame["g"] = [id_ for id_ in self._rows if id_ not in rows]
            fish, phase = whole["f"], whole["p"]
            if fish == self._fish:
                del frame["f"]
            if phase == self._phase:
                del frame["p"]
            self._fish, self._phase = fish, phase
        else:
            self._fish, self._phase = whole["f"], whole["p"]
        self._rows, self._people = rows, people
        frame["n"] = [list(each) for each in news]
        return {name: value for name, value in frame.items() if value != []}


def whole_frame(world: World) -> dict[str, Any]:
    """Tell everything, for a page that begins."""
    return {
        "t": world.tick,
        "k": 1,
        "r": round(world.radius),
        "l": world.ends_at - world.tick,
        "b": [row_of(player, world.tick) for player in world.players.values()],
        "w": [[each.id, each.name, each.score] for each in world.players.values()],
        "f": [[id_, fish.x, fish.y] for id_, fish in world.fish.items()],
        "p": [world.round, int(world.is_break)],
    }


def row_of(player: Player, tick: int) -> Row:
    """Tell one player."""
    body = player.body
    state = (
        ASLEEP * player.is_asleep
        + IN_THE_SEA * bool(player.sunk_until)
        + SHIELDED * (tick < player.shield_until)
    )
    return [
        player.id,
        round(body.x),
        round(body.y),
        round(body.vx),
        round(body.vy),
        state,
        player.steering.number,
        player.held,
    ]
