"""The game as a process runs it: a world, a thread that moves it, and what pages ask for.

::

    web threads                       ticker, 20 times a second
    play, steer --> what is wanted -> world.step --> Frames --> publish, one message for everybody
                    (the newest of
                     each player)

The ticker runs while somebody is on the floe. It never waits for a page, a database or a broker:
what comes too late for a tick counts in the next one, and what a page says twice before one counts
once.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from random import SystemRandom
from typing import Any

from thywill_apps.floe.bounds import Bounds
from thywill_apps.floe.frames import Frames, whole_frame
from thywill_apps.floe.players import Steering
from thywill_apps.floe.rules import TICKS_PER_SECOND
from thywill_apps.floe.ticker import Pace, Ticker
from thywill_apps.floe.world import FloeIsFullError, World
from thywill_server.application import ApplicationError, PushUnavailable

log = logging.getLogger(__name__)

Publish = Callable[[dict[str, Any]], None]


@dataclass(frozen=True, slots=True)
class Page:
    """Who plays a player: a client, and the browser session that it belongs to."""

    uuid: str
    session: str


class Game:
    """One floe.

    Args:
        publish: sends a frame to everybody.
        bounds: gives the bounds of the site.
    """

    def __init__(self, publish: Publish, bounds: Callable[[], Bounds]) -> None:
        self._publish = publish
        self._bounds = bounds
        self._lock = threading.Lock()
        self._world: World | None = None
        self._frames = Frames()
        self._ticker: Ticker | None = None
        self._wanted: dict[int, Steering] = {}
        self._pages: dict[int, Page] = {}
        self._ids: dict[str, int] = {}
        self._is_unheard = False

    @property
    def pace(self) -> Pace:
        """How punctual it is; of the ticker that runs."""
        ticker = self._ticker
        return ticker.pace if ticker is not None else Pace()

    @property
    def is_running(self) -> bool:
        """Whether somebody is on the floe."""
        return self._ticker is not None

    def play(self, page: Page, key: str, name: str) -> dict[str, Any]:
        """Let a page in, or in again.

        Args:
            page: who asks.
            key: names its player; the newest page that knows it plays it.
            name: of the player.

        Returns:
            ``id`` of its player, and ``frame`` to begin with.

        Raises:
            ApplicationError: ``floe-full``.
        """
        key = f"{page.session} {key}"
        with self._lock:
            world = self._world = self._world or World(self._bounds().rules(), SystemRandom())
            is_known = any(player.key == key for player in world.players.values())
            same = sum(each.session == page.session for each in self._pages.values())
            if not is_known and same >= self._bounds().max_players_each:
                raise _full("This browser has enough players on the floe.")
            try:
                player = world.enter(key, name)
            except FloeIsFullError:
                raise _full("The floe is full. You watch until there is a place.") from None
            before = self._pages.get(player.id)
            if before is not None:
                self._ids.pop(before.uuid, None)
            self._pages[player.id], self._ids[page.uuid] = page, player.id
            self._wanted.pop(player.id, None)
            if self._ticker is None:
                self._ticker = Ticker(self._step, 1 / TICKS_PER_SECOND)
                self._ticker.start()
            return {"id": player.id, "frame": whole_frame(world)}

    def steer(self, uuid: str, steering: Steering) -> bool:
        """Take what a page wants; tells whether it has a player."""
        with self._lock:
            id_ = self._ids.get(uuid)
            if id_ is None:
                return False
            before = self._wanted.get(id_)
            if before is None or steering.number >= before.number:
                self._wanted[id_] = steering
            return True

    def rename(self, uuid: str, name: str) -> bool:
        """Give a page's player another name; tells whether it has one."""
        with self._lock:
            id_ = self._ids.get(uuid)
            if id_ is None or self._world is None:
                return False
            self._world.rename(id_, name)
            return True

    def rest(self, uuid: str) -> None:
        """Let the player of a page that has gone sleep."""
        with self._lock:
            id_ = self._ids.get(uuid)
            if id_ is not None and self._world is not None:
                self._wanted.pop(id_, None)
                self._world.rest(id_)

    def stop(self) -> None:
        """End it: the next one who plays begins a new game."""
        with self._lock:
            ticker = self._forget()
            self._world = None
        if ticker is not None:
            ticker.stop()

    def _step(self) -> bool:
        with self._lock:
            world, ticker = self._world, self._ticker
            if world is None or ticker is None:
                return False
            try:
                wanted, self._wanted = self._wanted, {}
                news = world.step(wanted)
                for id_ in [each for each in self._pages if each not in world.players]:
                    self._ids.pop(self._pages.pop(id_).uuid, None)
                frame = self._frames.next(world, news)
                is_over = not world.players
            except BaseException:
                self._forget()
                self._world = None
                raise
            if is_over:
                self._forget()
        self._tell(frame)
        return not is_over

    def _tell(self, frame: dict[str, Any]) -> None:
        try:
            self._publish(frame)
        except PushUnavailable as refusal:
            # The next one tells more. It is said once, not twenty times a second.
            if not self._is_unheard:
                log.warning("the game is not heard: %s", refusal)
            self._is_unheard = True
        else:
            self._is_unheard = False

    def _forget(self) -> Ticker | None:
        """Forget everybody; the world stays as it is. Called with the lock."""
        ticker, self._ticker = self._ticker, None
        self._frames = Frames()
        self._wanted, self._pages, self._ids = {}, {}, {}
        return ticker


def _full(sentence: str) -> ApplicationError:
    return ApplicationError("floe-full", sentence, status=409)
