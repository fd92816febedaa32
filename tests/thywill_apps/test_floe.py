"""The game on the server, played by virtual browsers: who moves, who is told, and what a network
that stutters does to whom."""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import connection
from pytest_django import Settings

from tests.support.page import thywill
from thywill_apps.floe import bounds as floe_bounds
from thywill_apps.floe.bounds import Bounds
from thywill_apps.floe.frames import ASLEEP
from thywill_apps.floe.game import Game, Page
from thywill_apps.floe.lease import NAME, Lease
from thywill_apps.floe.names import FIRST, SECOND
from thywill_apps.floe.rules import TICKS_PER_SECOND, Rules
from thywill_apps.floe.thywill_interface import app, game
from thywill_apps.floe.ticker import Ticker
from thywill_server import testing
from thywill_server.application import ApplicationError, PushUnavailable

ORBITED = {"component": "thywill_server.push.orbited_stomp.OrbitedStomp"}
SECONDS = 60


@pytest.fixture(autouse=True)
def site(settings: Settings, db: None) -> Iterator[None]:
    """A site with the game, and the push of most sites."""
    settings.THYWILL = thywill(
        application={"packages": "thywill_apps", "default": "floe"}, push=ORBITED
    )
    yield
    game.stop()


@pytest.fixture
def bounded(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Sets bounds, for one test."""

    def bound(**values: Any) -> None:
        settings.FLOE = values
        floe_bounds.bounds.cache_clear()

    yield bound
    monkeypatch.undo()
    floe_bounds.bounds.cache_clear()


class Player:
    """A page that plays.

    Attributes:
        page: the virtual browser.
        id: of its player.
        ticks: the channel that tells them.
        bodies: the rows of all players, as they were told last.
        people: names and scores, the same.
    """

    def __init__(self, page: testing.VirtualBrowser, name: str = "ann", key: str = "") -> None:
        self.page = page
        self.key = key or secrets.token_hex(16)
        self.ticks = page.channel("floe")
        self.number = 0
        self.bodies: dict[int, list[int]] = {}
        self.people: dict[int, list[Any]] = {}
        self.frame: dict[str, Any] = {"t": 0}
        self.play(name)

    def play(self, name: str = "ann") -> None:
        """Come in, or come back."""
        answer = self.page.call("play", key=self.key, name=name)
        self.id = answer["id"]
        self._take(answer["frame"])

    def steer(self, x: int, y: int, **more: Any) -> None:
        """Say where to."""
        self.number += 1
        self.page.call("steer", number=self.number, x=x, y=y, **more)

    def until(self, is_so: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """Hear ticks until one fits; gives it."""
        for _ in range(SECONDS * TICKS_PER_SECOND):
            frame: dict[str, Any] = self.ticks.expect("tick").data
            self._take(frame)
            if is_so(frame):
                return frame
        raise AssertionError("it has not become so")

    def hear(self, count: int) -> None:
        """Hear so many more ticks."""
        last = self.frame["t"] + count
        self.until(lambda frame: frame["t"] >= last)

    @property
    def own(self) -> list[int]:
        """The row of its own player."""
        return self.bodies[self.id]

    def state_of(self, other: Player) -> int:
        """What another player is, as far as it was told."""
        return self.bodies[other.id][5] if other.id in self.bodies else 0

    @property
    def told(self) -> list[int]:
        """The numbers of all ticks that it was told."""
        return [each.data["t"] for each in self.ticks.received if each.event == "tick"]

    def _take(self, frame: dict[str, Any]) -> None:
        if frame["t"] < self.frame["t"]:
            return  # from before it came in
        self.frame = frame
        self.bodies |= {row[0]: row for row in frame.get("b", [])}
        self.people |= {row[0]: row[1:] for row in frame.get("w", [])}


def test_a_page_plays_within_its_first_second() -> None:
    """It has a name, a place on the ice and the rules; what it steers is told to everybody."""
    with testing.open("floe") as one, testing.open("floe") as other:
        name = one.parameters["floe"]["name"]
        assert set(name.split()) <= {*FIRST, *SECOND}
        assert one.parameters["floe"]["rules"]["radius"] == Rules().radius
        ann, ben = Player(one, name), Player(other, "ben")
        assert ann.id != ben.id
        x = ann.own[1]
        ann.steer(100, 0)
        ben.until(lambda _: ann.id in ben.bodies and ben.bodies[ann.id][1] > x + 20)
        assert ben.bodies[ann.id][6] == ann.number
        assert ben.people[ann.id] == [name, 0]
        ann.page.call("rename", name="  Ann of   the North ")
        ben.until(lambda _: ben.people[ann.id][0] == "Ann of the North")


def test_a_cheating_page_gains_nothing() -> None:
    """It steers no harder, dashes no more often and scores no more, whatever it says."""
    with testing.open("floe") as one, testing.open("floe") as other:
        ann, ben = Player(one), Player(other, "ben")
        start = ann.own
        first = ann.frame["t"]
        for dashes in range(1, 6):
            ann.steer(10**9, 0, dashes=dashes * 1000)
        ben.until(lambda frame: frame["t"] >= first + 6)
        x, speed = ben.bodies[ann.id][1], ben.bodies[ann.id][3]
        rules, seconds = Rules(), (ben.frame["t"] - first) / TICKS_PER_SECOND
        assert speed <= rules.push * seconds + rules.dash
        assert x - start[1] <= (rules.push * seconds + rules.dash) * seconds + 1
        for fields in (
            {"number": 1, "x": 1.5, "y": 0},
            {"number": -1, "x": 0, "y": 0},
            {"number": 2**60, "x": 0, "y": 0},
            {"number": 1, "x": 0},
            {"number": 1, "x": 0, "y": 0, "score": 100},
            {"number": 1, "x": 0, "y": 0, "position": [0, 0]},
        ):
            with pytest.raises(testing.Refused, match="invalid-message"):
                one.call("steer", fields)
        for key, name in (
            ("short", "ann"),
            (ann.key, ""),
            (ann.key, "x" * 21),
            (ann.key, "\u202e"),
        ):
            with pytest.raises(testing.Refused, match="invalid-message"):
                one.call("play", key=key, name=name)
        assert ben.people[ann.id][1] == 0


def test_a_key_of_another_browser_is_another_player() -> None:
    """A player belongs to the browser that it was made in: whoever learns a key gains nothing."""
    with testing.open("floe") as one, testing.open("floe") as other:
        ann = Player(one)
        thief = Player(other, "thief", key=ann.key)
        assert thief.id != ann.id
        ann.steer(0, 100)


def test_thirty_players_on_one_process(capsys: pytest.CaptureFixture[str]) -> None:
    """Each of thirty hears every tick that ran, once and in order; what it costs is printed."""
    pages = [testing.open("floe") for _ in range(30)]
    try:
        players = [Player(page, f"player {number}") for number, page in enumerate(pages)]
        pace = game.pace
        ticks, busy, late = pace.ticks, pace.busy, pace.late
        began, used = time.monotonic(), time.process_time()
        for angle in (0, 1):
            for number, player in enumerate(players):
                player.steer(100 - 7 * number, 50 * angle)
        players[0].until(lambda frame: frame["t"] >= ticks + TICKS_PER_SECOND)
        seconds, used = time.monotonic() - began, time.process_time() - used
        told_until = ticks + TICKS_PER_SECOND
        ticks, busy, late = pace.ticks - ticks, pace.busy - busy, pace.late - late
        assert game.is_running
        game.stop()
        for player in players:
            player.page.settle()
            assert player.told == list(range(player.told[0], pace.ticks + 1))
            assert player.told[-1] >= told_until
    finally:
        for page in pages:
            page.close()
    report = (
        f"30 players, {ticks} ticks in {seconds:.2f} s ({pace.left_out} left out): a tick takes "
        f"{1000 * busy / ticks:.1f} ms and is {1000 * late / ticks:.1f} ms late, "
        f"{1000 * pace.latest:.0f} at most; all thirty pages and the server use "
        f"{used / seconds:.0%} of a core"
    )
    with capsys.disabled():
        print(f"\n{report}")  # noqa: T201 - a measurement, which no load may turn into a failure


@pytest.mark.parametrize("trouble", ["offline", "slow"])
def test_one_network_stutters(trouble: str) -> None:
    """The others' ticks go on; the one catches up at once with what is newest, missing nothing."""
    with testing.open("floe") as one, testing.open("floe") as other:
        ann, ben = Player(one), Player(other, "ben")
        ben.hear(1)
        before = len(ben.told)
        with getattr(other, trouble)():
            ann.steer(100, 0)
            ann.until(lambda _: ann.own[6] == ann.number)
            ann.hear(8)
            if trouble == "offline":
                assert len(ben.told) <= before + 1
            newest = ann.frame["t"]
        ben.until(lambda frame: frame["t"] >= newest)
        assert ben.told == list(range(ben.told[0], ben.told[-1] + 1))
        assert ben.bodies[ann.id][6] == ann.number
        ben.steer(0, 100)  # and it plays on
        ann.until(lambda _: ann.bodies[ben.id][6] == ben.number)


def test_a_long_stutter(bounded: Any) -> None:
    """Who is away for long sleeps where it was; back, it hears what is, and not what has been."""
    bounded(stale_seconds=0.1, asleep_seconds=0.2)
    with testing.open("floe") as one, testing.open("floe") as other:
        ann, ben = Player(one), Player(other, "ben")
        with other.offline(for_long=True):
            ann.until(lambda _: bool(ann.state_of(ben) & ASLEEP))
            asleep_at = ann.bodies[ben.id][1:3]
            ann.steer(0, 0)
            missed = ann.frame["t"]
        ben.ticks.expect("recovered", seconds=SECONDS)
        ben.until(lambda frame: frame["t"] > missed and bool(ben.own[5] & ASLEEP))
        assert missed not in ben.told
        ben.steer(0, 0)
        ben.until(lambda _: not ben.own[5] & ASLEEP)
        assert ben.own[1:3] == asleep_at


def test_a_reload_plays_the_same_player() -> None:
    """The page that comes with the key has the player, where it was; the old page has none."""
    with testing.open("floe") as old:
        ann = Player(old)
        with testing.open("floe", beside=old) as new:
            again = Player(new, "ann", key=ann.key)
            assert again.id == ann.id
            again.steer(0, 0)
            with pytest.raises(testing.Refused, match="not-playing"):
                ann.steer(0, 0)
            old.close()
            again.hear(2)
            assert not again.own[5] & ASLEEP


def test_a_closed_page_leaves_a_sleeper_that_goes(bounded: Any) -> None:
    """The others see it sleep at once, and go a little later. Then nothing runs any more."""
    bounded(gone_seconds=0.3, asleep_seconds=0.2)
    with testing.open("floe") as watcher:
        ticks = watcher.channel("floe")
        with testing.open("floe") as page:
            ann = Player(page)
        for _ in range(SECONDS * TICKS_PER_SECOND):
            if "g" in ticks.expect("tick").data:
                break
        assert ann.id in ticks.received[-1].data["g"]
        watcher.settle()
        assert not game.is_running
        with testing.open("floe", beside=page) as again:
            assert Player(again, key=ann.key).id == ann.id


def test_a_floe_that_is_full(bounded: Any) -> None:
    """Whoever finds no place is told so, and hears the game all the same."""
    bounded(max_players=2, max_players_each=1)
    with testing.open("floe") as one, testing.open("floe") as other:
        ann = Player(one)
        with (
            testing.open("floe", beside=one) as tab,
            pytest.raises(testing.Refused, match="floe-full: This browser"),
        ):
            Player(tab)
        Player(other)
        with testing.open("floe") as third:
            ticks = third.channel("floe")
            with pytest.raises(testing.Refused, match="floe-full: The floe is full"):
                third.call("play", key=ann.key, name="cat")
            ticks.expect("tick")


# --- one process of several ---


def test_the_game_runs_in_one_process() -> None:
    """While another process has the lease this one refuses; with its end it takes over."""
    with testing.open("floe") as page:
        app.state[NAME] = {"owner": "another", "until": time.time() + 60}
        with pytest.raises(testing.Refused, match="played-elsewhere"):
            Player(page)
        with pytest.raises(testing.Refused, match="played-elsewhere"):
            page.call("steer", number=1, x=0, y=0)
        assert not game.is_running
        app.state[NAME] = {"owner": "another", "until": time.time() - 1}
        Player(page).steer(0, 0)


def test_a_process_that_was_too_slow_stops_its_game() -> None:
    """It finds the lease taken when it wants to prolong it, and never runs beside another one."""
    with testing.open("floe") as page:
        ann = Player(page)
        app.state[NAME] = {"owner": "another", "until": time.time() + 60}
        with pytest.raises(testing.Refused, match="played-elsewhere"):
            ann.play()
        assert not game.is_running


def test_a_lease_is_prolonged_now_and_then() -> None:
    """Not with every message: after a third of its time; nobody else gets it until its end."""
    now = [1000.0]
    one, other = (Lease(lambda: app.state, lambda: 6.0, lambda: now[0]) for _ in range(2))
    one.take()
    for second in range(5):
        now[0] = 1000.0 + second
        one.prolong()
        with pytest.raises(ApplicationError):
            other.take()
        assert app.state[NAME]["until"] == 1006.0 + second // 2 * 2
    assert other.is_elsewhere()
    assert not one.is_elsewhere()
    now[0] = 1010.0
    other.take()
    with pytest.raises(ApplicationError):
        one.prolong()


# --- the clock ---


def test_a_tick_touches_no_database() -> None:
    """What moves the world and tells it never waits for one, in a thread that nobody prepared."""
    with testing.open("floe") as page:
        Player(page)
        game.stop()
        game.play(Page(page.uuid, "session"), "key", "ann")
        has_connection = []

        def step() -> None:
            game._step()
            has_connection.append(connection.connection is not None)

        thread = threading.Thread(target=step)
        thread.start()
        thread.join(SECONDS)
        assert has_connection == [False]


def test_a_ticker_keeps_its_pace() -> None:
    """It makes up for a little that it is late, and leaves out what a long pause has cost."""
    now, called = [0.0], []
    takes = {3: 0.125, 6: 3.0}

    def step() -> bool:
        called.append(now[0])
        now[0] += takes.get(len(called), 0.0)
        return len(called) < 10

    def wait(seconds: float) -> bool:
        now[0] += seconds
        return False

    ticker = Ticker(step, 0.0625, lambda: now[0], wait)
    ticker.run()
    late = [0.0, 0.0625, 0.125, 0.25, 0.25, 0.3125]
    assert called == [*late, 3.3125, 3.375, 3.4375, 3.5]
    assert (ticker.pace.ticks, ticker.pace.left_out) == (10, 47)
    assert ticker.pace.latest == 0.0625


def test_a_game_that_fails_is_over_and_another_one_begins(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A mistake in it is logged once, and stops neither the site nor the next game."""
    broken = Game(lambda frame: None, Bounds)
    monkeypatch.setattr("thywill_apps.floe.game.Frames.next", lambda *_: 1 / 0)
    broken.play(Page("uuid", "session"), "key", "ann")
    ticker = broken._ticker
    if ticker is not None:
        ticker._thread.join(SECONDS)
    assert "the game has stopped" in caplog.text
    assert not broken.is_running
    monkeypatch.undo()
    assert broken.play(Page("uuid", "session"), "key", "ann")["id"] == 1
    broken.stop()


def test_a_broker_that_is_away_stops_nothing(caplog: pytest.LogCaptureFixture) -> None:
    """Ticks that cannot be told are not told; it is logged once until they are heard again."""
    outcomes = [PushUnavailable("full"), PushUnavailable("full"), None, PushUnavailable("full")]
    told: list[dict[str, Any]] = []

    def publish(frame: dict[str, Any]) -> None:
        told.append(frame)
        outcome = outcomes.pop(0)
        if outcome is not None:
            raise outcome

    unheard = Game(publish, Bounds)
    for _ in range(4):
        unheard._tell({})
    assert len(told) == 4
    assert [record.message for record in caplog.records] == ["the game is not heard: full"] * 2


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        ({"max_playres": 3}, 'FLOE["max_playres"]: expected one of max_players'),
        ({"max_players": 2.5}, 'FLOE["max_players"]: expected a whole number above 0: 2.5'),
        ({"gone_seconds": -1}, 'FLOE["gone_seconds"]: expected a number above 0: -1'),
        ({"steer_rate": 60}, 'FLOE["steer_rate"]: expected text: 60'),
    ],
)
def test_bounds_that_are_wrong(given: dict[str, Any], complaint: str, bounded: Any) -> None:
    """They are named, and nothing starts with them."""
    bounded(**given)
    with pytest.raises(ImproperlyConfigured) as error:
        floe_bounds.bounds()
    assert str(error.value).startswith(complaint)
