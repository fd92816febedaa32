"""Connections followed in the thread of the test, in place of the threads that a site has.

What the site does when a page comes or goes (rows, ``on_connect``, presence) waits for the loop,
and nobody waits for a grace: who is gone has left at once.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from thywill_server.connections.service import ConnectionService
from thywill_server.testing.loop import Loop, Timer

if TYPE_CHECKING:
    from thywill_server.components import Components
    from thywill_server.connections.base import Login, Report
    from thywill_server.database.clients import Departed

__all__ = ["FollowedConnections"]

log = logging.getLogger(__name__)


class LoopLanes:
    """Jobs for the loop: in their order, whatever their key."""

    def __init__(self, loop: Loop) -> None:
        self._loop = loop
        self._is_stopped = False

    def submit(self, key: str, job: Callable[[], object]) -> bool:
        """Have a job done in the thread of the test."""

        def do() -> None:
            try:
                job()
            except Exception:
                log.exception("a connection could not be followed")

        if not self._is_stopped:
            self._loop.submit(do)
        return not self._is_stopped

    def stop(self) -> None:
        """Take no more."""
        self._is_stopped = True


class LoopClock:
    """Calls a function when it was told to, in the thread of the test."""

    def __init__(self, loop: Loop, function: Callable[[], float | None]) -> None:
        self._loop, self._function = loop, function
        self._timer: Timer | None = None

    def start(self) -> None:
        """Do nothing: the loop turns by itself."""

    def call_within(self, seconds: float) -> None:
        """Have the function called in so many seconds at the latest; in any thread."""
        due_at = time.monotonic() + seconds
        self._loop.submit(lambda: self._schedule(due_at))

    def stop(self) -> None:
        """Call it no more."""
        if self._timer is not None:
            self._timer.cancel()

    def _schedule(self, due_at: float) -> None:
        is_set = self._timer is not None and self._timer.function is not None
        if self._timer is not None and is_set and self._timer.due_at <= due_at:
            return
        self.stop()
        self._timer = self._loop.call_later(due_at - time.monotonic(), self._call)

    def _call(self) -> None:
        self._timer = None
        seconds = self._function()
        if seconds is not None:
            self.call_within(max(seconds, 0.0))


class FollowedConnections(ConnectionService):
    """Follows the connections of a site under test.

    Args:
        components: the site's; started.
        loop: does the work.

    Attributes:
        heard: kind, client and destination of what has taken effect: the reports of the broker,
            and ``come`` and ``gone``, once the application has been told.
    """

    def __init__(self, components: Components, loop: Loop) -> None:
        self._loop = loop
        super().__init__(components)
        self._settings |= {"disconnect_grace_seconds": 0.0, "presence_grace_seconds": 0.0}
        self.heard: set[tuple[str, str, str]] = set()

    def _make_lanes(self) -> LoopLanes:
        return LoopLanes(self._loop)

    def _make_clock(self) -> LoopClock:
        return LoopClock(self._loop, self._look_after)

    def _follow(self, report: Report) -> None:
        super()._follow(report)
        if report.login is not None:
            self.heard.add((report.kind, report.login.client_uuid, report.destination))

    def _come(self, login: Login) -> None:
        super()._come(login)
        self.heard.add(("come", login.client_uuid, ""))

    def _go(self, departed: Departed) -> None:
        super()._go(departed)
        self.heard.add(("gone", departed.uuid, ""))
