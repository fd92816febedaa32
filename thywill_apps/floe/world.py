"""The world of the game: who is where, who falls, who wins. It is the only one who knows.

It knows no clock and no network. Time is ticks, what pages want comes in with each of them, and
chance is given, so a game is the same again when it is given the same::

    world = World(Rules(), random.Random(1))
    ann = world.enter("key of ann", "ann")
    world.step({ann.id: Steering.of(1, 100, 0)})     # a twentieth of a second later
    world.players[ann.id].body.x

A page says where it steers; what that does to its player is decided here. So a page can lie about
nothing but what it wants.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations
from random import Random

from thywill_apps.floe.bodies import Body, bound_speed, bump, slide
from thywill_apps.floe.players import Place, Player, Steering
from thywill_apps.floe.rules import STEPS_PER_TICK, TICKS_PER_SECOND, Rules

News = tuple[str | int, ...]
"""Something to tell: a word, and the ids and numbers that belong to it; see `World.step`."""

FIRST_FISH = 4
PLAYERS_PER_FISH = 3
TRIES = 30
"""How often a free place is looked for before one that is not has to do."""


class FloeIsFullError(Exception):
    """There are as many players as may be."""


@dataclass(slots=True)
class Fish:
    """A fish on the ice."""

    x: int
    y: int


class World:
    """The floe and all who are on it.

    Attributes:
        tick: how often it has moved.
        players: by id.
        fish: by id.
        round: its number, from 1.
        is_break: whether it is over, and the next one has not begun.
        ends_at: the tick at which round or break end.
    """

    def __init__(self, rules: Rules, random: Random) -> None:
        self.rules = rules
        self.tick = 0
        self.players: dict[int, Player] = {}
        self.fish: dict[int, Fish] = {}
        self.round = 1
        self.is_break = False
        self.ends_at = rules.ticks(rules.round_seconds)
        self._random = random
        self._ids = 0
        self._fish_ids = 0
        self._places: OrderedDict[str, Place] = OrderedDict()
        self._news: list[News] = []
        self._stock_fish()

    # Coming and going.

    def enter(self, key: str, name: str) -> Player:
        """Let a player in: a new one, or one that comes back to where it was.

        Raises:
            FloeIsFullError: there are enough.
        """
        player = next((each for each in self.players.values() if each.key == key), None)
        if player is None:
            if len(self.players) >= self.rules.max_players:
                raise FloeIsFullError
            player = self._new_player(key, name)
            self.players[player.id] = player
            self._news.append(("came", player.id))
        self._hear(player)
        # Its page begins to count anew.
        player.steering, player.held = Steering(0), 0
        player.name = name
        return player

    def leave(self, id_: int) -> None:
        """Take a player off the floe; its place is remembered for a while."""
        player = self.players.pop(id_, None)
        if player is None:
            return
        self._places[player.key] = Place(
            player.id, player.body.x, player.body.y, player.score, self.round, self.tick
        )
        while len(self._places) > self.rules.max_remembered:
            self._places.popitem(last=False)
        self._news.append(("left", id_))

    def rest(self, id_: int) -> None:
        """Let a player sleep where it is."""
        player = self.players.get(id_)
        if player is not None and not player.is_asleep:
            player.is_asleep = True
            player.body.vx = player.body.vy = 0.0

    def rename(self, id_: int, name: str) -> None:
        """Give a player another name."""
        self.players[id_].name = name

    # Time.

    @property
    def radius(self) -> float:
        """Of the floe now: it melts during a round, and freezes again in the break."""
        rules = self.rules
        seconds = rules.break_seconds if self.is_break else rules.round_seconds
        left = max(0.0, (self.ends_at - self.tick) / rules.ticks(seconds))
        melted = left if self.is_break else 1.0 - left
        return rules.radius - (rules.radius - rules.least_radius) * melted

    def step(self, steerings: Mapping[int, Steering]) -> list[News]:
        """Move on by one tick.

        Args:
            steerings: what was heard since the last one, by player; of each the newest.

        Returns:
            what has happened: ``("came", id)``, ``("left", id)``, ``("fish", id)``,
            ``("fell", id, by)`` where by is 0 for nobody, ``("over", score, id...)`` with the
            winners, and ``("round", number)``.
        """
        self.tick += 1
        for id_, steering in steerings.items():
            if id_ in self.players:
                self._steer(self.players[id_], steering)
        for player in list(self.players.values()):
            self._look_after(player)
        self._move()
        for player in self.players.values():
            player.held += 1
            if player.is_solid(self.tick):
                self._look_at(player)
        self._stock_fish()
        if self.tick >= self.ends_at:
            self._turn()
        news, self._news = self._news, []
        return news

    # Inside.

    def _steer(self, player: Player, steering: Steering) -> None:
        if steering.number < player.steering.number:
            return  # it was overtaken by a newer one
        if steering.is_resting:
            player.steering = steering
            self.rest(player.id)
            return
        self._hear(player)
        if steering.number == player.steering.number:
            return  # only a sign of life
        wants_dash = steering.dashes > player.steering.dashes
        player.steering, player.held = steering, 0
        if wants_dash and self.tick >= player.dash_at and not player.sunk_until:
            self._dash(player)

    def _dash(self, player: Player) -> None:
        rules, body, steering = self.rules, player.body, player.steering
        length = math.hypot(steering.x, steering.y)
        if length == 0:
            return
        body.vx += rules.dash * steering.x / length
        body.vy += rules.dash * steering.y / length
        bound_speed(body, rules)
        player.dash_at = self.tick + rules.ticks(rules.dash_seconds)

    def _hear(self, player: Player) -> None:
        player.heard_at = self.tick
        if player.is_asleep:
            player.is_asleep = False
            # Whoever wakes up under others gets out from among them first.
            player.shield_until = self.tick + self.rules.ticks(self.rules.shield_seconds)
            self._put_on_ice(player.body)

    def _look_after(self, player: Player) -> None:
        rules, silent = self.rules, self.tick - player.heard_at
        if silent > rules.ticks(rules.gone_seconds):
            self.leave(player.id)
        elif silent > rules.ticks(rules.asleep_seconds):
            self.rest(player.id)
        if player.sunk_until and self.tick >= player.sunk_until:
            player.sunk_until = 0
            player.shield_until = self.tick + rules.ticks(rules.shield_seconds)
            player.body = self._free_place()

    def _move(self) -> None:
        rules = self.rules
        seconds = 1.0 / TICKS_PER_SECOND / STEPS_PER_TICK
        stale = rules.ticks(rules.stale_seconds)
        moving = [
            each for each in self.players.values() if not each.is_asleep and not each.sunk_until
        ]
        solid = [each for each in moving if each.is_solid(self.tick)]
        for _ in range(STEPS_PER_TICK):
            for player in moving:
                # Who is not heard is not driven into the sea by what was said last.
                is_stale = self.tick - player.heard_at > stale
                x, y = (0.0, 0.0) if is_stale else (player.steering.x, player.steering.y)
                slide(player.body, x, y, seconds, rules, is_stale)
            for one, other in combinations(solid, 2):
                if bump(one.body, other.body, rules):
                    one.touched_by, one.touched_at = other.id, self.tick
                    other.touched_by, other.touched_at = one.id, self.tick
        # A shield holds at the edge as well, and the ice melts from under no sleeper.
        for player in self.players.values():
            if not player.is_solid(self.tick) and not player.sunk_until:
                self._put_on_ice(player.body)

    def _look_at(self, player: Player) -> None:
        """See whether a player has caught something, or has fallen."""
        rules, body = self.rules, player.body
        reach = rules.puck + rules.fish
        for id_, fish in list(self.fish.items()):
            if math.hypot(fish.x - body.x, fish.y - body.y) < reach:
                del self.fish[id_]
                self._score(player, rules.fish_points)
                self._news.append(("fish", player.id))
        if body.distance > self.radius:
            self._sink(player)

    def _sink(self, player: Player) -> None:
        rules = self.rules
        is_fresh = self.tick - player.touched_at <= rules.ticks(rules.credit_seconds)
        by = self.players.get(player.touched_by) if is_fresh else None
        if by is not None:
            self._score(by, rules.push_points)
        self._news.append(("fell", player.id, by.id if by is not None else 0))
        player.sunk_until = self.tick + rules.ticks(rules.sunk_seconds)
        player.body.vx = player.body.vy = 0.0
        player.touched_by = 0

    def _score(self, player: Player, points: int) -> None:
        if not self.is_break:
            player.score += points

    def _turn(self) -> None:
        """End the round, or the break after it."""
        rules = self.rules
        self.is_break = not self.is_break
        if self.is_break:
            best = max((each.score for each in self.players.values()), default=0)
            winners = [each.id for each in self.players.values() if best and each.score == best]
            self._news.append(("over", best, *winners))
            self.ends_at = self.tick + rules.ticks(rules.break_seconds)
            return
        self.round += 1
        self.ends_at = self.tick + rules.ticks(rules.round_seconds)
        for player in self.players.values():
            player.score = 0
        self._news.append(("round", self.round))

    # Places.

    def _new_player(self, key: str, name: str) -> Player:
        place = self._places.pop(key, None)
        kept = self.rules.ticks(self.rules.remembered_seconds)
        if place is None or self.tick - place.left_at > kept:
            self._ids += 1
            player = Player(self._ids, key, name, self._free_place())
        else:
            player = Player(place.id, key, name, Body(place.x, place.y))
            player.score = place.score if place.round == self.round else 0
            self._put_on_ice(player.body)
        player.shield_until = self.tick + self.rules.ticks(self.rules.shield_seconds)
        return player

    def _put_on_ice(self, body: Body) -> None:
        allowed, distance = self.radius - self.rules.puck, body.distance
        if distance > allowed:
            body.x *= allowed / distance
            body.y *= allowed / distance
            body.vx = body.vy = 0.0

    def _free_place(self) -> Body:
        """Find a place for a puck where nobody is."""
        body = Body(0.0, 0.0)
        for _ in range(TRIES):
            body = Body(*self._somewhere(0.7))
            if all(
                math.hypot(each.body.x - body.x, each.body.y - body.y) > 3 * self.rules.puck
                for each in self.players.values()
            ):
                break
        return body

    def _somewhere(self, share: float) -> tuple[float, float]:
        angle = self._random.uniform(0, math.tau)
        # The square root spreads places evenly over the disc.
        distance = self.radius * share * math.sqrt(self._random.random())
        return distance * math.cos(angle), distance * math.sin(angle)

    def _stock_fish(self) -> None:
        """Keep as many fish on the ice as there should be."""
        for id_, fish in list(self.fish.items()):
            if math.hypot(fish.x, fish.y) > self.radius - self.rules.fish:
                del self.fish[id_]
        awake = sum(not player.is_asleep for player in self.players.values())
        while len(self.fish) < FIRST_FISH + awake // PLAYERS_PER_FISH:
            x, y = self._somewhere(0.85)
            self._fish_ids += 1
            self.fish[self._fish_ids] = Fish(round(x), round(y))
