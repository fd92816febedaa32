"""What bounds the game; a site sets others in settings.py: ``FLOE = {"max_players": 12}``.

A name that is none, or a value of another kind, is one sentence when the site starts.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import cache
from typing import Final

from thywill_apps.floe.rules import Rules
from thywill_server.application import own_settings

RULES: Final = Rules()


@dataclass(frozen=True, slots=True)
class Bounds:
    """The settings of the game, with their defaults.

    Attributes:
        max_players: on the floe, sleepers too; more may watch.
        max_players_each: of one browser, in tabs of their own.
        max_remembered: of players that have left, for when they come back.
        max_name_characters: of a player's name.
        round_seconds: how long a round takes.
        break_seconds: how long it is from one round to the next.
        stale_seconds: a player whose page is not heard for so long brakes.
        asleep_seconds: and then sleeps.
        gone_seconds: and then is taken off the floe.
        remembered_seconds: how long its place is remembered.
        lease_seconds: how long the process that runs the game may be silent before another one
            takes it over.
        steer_rate: how often one browser may steer.
        play_rate: how often it may come in.
        rename_rate: how often it may change a name.
    """

    max_players: int = RULES.max_players
    max_players_each: int = 4
    max_remembered: int = RULES.max_remembered
    max_name_characters: int = 20
    round_seconds: float = RULES.round_seconds
    break_seconds: float = RULES.break_seconds
    stale_seconds: float = RULES.stale_seconds
    asleep_seconds: float = RULES.asleep_seconds
    gone_seconds: float = RULES.gone_seconds
    remembered_seconds: float = RULES.remembered_seconds
    lease_seconds: float = 4.0
    steer_rate: str = "60/s"
    play_rate: str = "20/10s"
    rename_rate: str = "20/m"

    def rules(self) -> Rules:
        """Give the rules of a world within these bounds."""
        shared = {field.name for field in fields(Rules)} & {field.name for field in fields(Bounds)}
        return Rules(**{name: getattr(self, name) for name in shared})


@cache
def bounds() -> Bounds:
    """Give the site's bounds.

    Raises:
        ImproperlyConfigured: ``FLOE`` is wrong.
    """
    return own_settings("FLOE", Bounds)
