"""Stopping so that nobody is lost: browsers are told, heard, and only then left.

::

    start --> tell a batch --> tell a batch ... --> all have said good-bye --> back ends flushed
                  |  told at random moments of the first half of drain_seconds        |
                  +----------------------- drain_seconds are over --------------------+--> finished

All browsers of a server at once would come down on the next one, so they are told in batches: the
session closes with ``goingAway`` behind what is queued for it. A browser that is not there, between
two polls or for good, is waited for a little and then given up. New sessions are refused meanwhile.
"""

import logging
import math
import secrets
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from twisted.internet.defer import Deferred

if TYPE_CHECKING:
    from orbited.cometsession import TCPResource
    from orbited.connection import TCPConnectionResource

__all__ = ["Drain"]

log = logging.getLogger(__name__)

#: How often it looks for browsers that are not coming any more.
LOOK_SECONDS = 0.1

#: Batches are at least so far apart, on average; above it they grow.
MIN_BATCH_SECONDS = 0.05

#: How long the answer to the last request of all has to leave.
LAST_ANSWER_SECONDS = 0.1

#: A browser whose response with the close was cut asks again within this time.
LAST_WORD_SECONDS = 1.0


class Drain:
    """One server on its way out.

    Attributes:
        finished: fires once everybody knows, or when ``drain_seconds`` are over.
    """

    def __init__(self, server: "TCPResource") -> None:
        self._server = server
        self._clock: Any = server.clock
        self._limits = server.config.limits
        self._untold: list[Callable[[], None]] = []
        self._batches: list[float] = []
        self._batch_size = 0
        self._timers: dict[str, Any] = {}
        self.finished: Deferred[None] = Deferred()

    def start(self) -> None:
        """Tell the first batch, and plan the others."""
        server, limits = self._server, self._limits
        sessions = server.connections.values()
        self._untold = [partial(session.close, "goingAway") for session in sessions]
        self._untold += [bridge.going_away for bridge in server.bridges]
        count, spread = len(self._untold), limits.drain_seconds / 2
        log.info("telling %d browsers that this server stops", count)
        batches = min(math.ceil(count / limits.drain_batch), int(spread / MIN_BATCH_SECONDS)) or 1
        self._batch_size = math.ceil(count / batches)
        chance = secrets.SystemRandom()
        chance.shuffle(self._untold)
        now = self._clock.seconds()
        self._batches = sorted(now + chance.random() * spread for _ in range(batches - 1))
        self._set("end", limits.drain_seconds, self._give_up)
        self._tell_batch()
        self._look()

    def left(self) -> None:
        """A session or a bridge is gone; perhaps it was the last."""
        if not self._server.connections and not self._server.bridges:
            # The last answers are still on their way.
            self._set("look", min(LAST_ANSWER_SECONDS, self._limits.drain_seconds), self._look)

    # -- helpers --------------------------------------------------------------------------------

    def _tell_batch(self) -> None:
        batch, self._untold = self._untold[: self._batch_size], self._untold[self._batch_size :]
        for tell in batch:
            tell()
        if self._batches:
            wait = self._batches.pop(0) - self._clock.seconds()
            self._set("batch", max(0.0, wait), self._tell_batch)

    def _look(self) -> None:
        """Give up who is not coming any more; finish when nobody is left."""
        server, now = self._server, self._clock.seconds()
        for session in list(server.connections.values()):
            if session.is_told and session.transport_name is None:
                is_delivered = session.core.is_finished
                patience = self._limits.drain_absent_seconds
                if is_delivered:
                    patience = min(patience, LAST_WORD_SECONDS)
                if now - session.absent_since >= patience:
                    _abort(session)
        if server.connections or server.bridges or not server.is_flushed():
            self._set("look", LOOK_SECONDS, self._look)
        else:
            self._finish()

    def _give_up(self) -> None:
        server = self._server
        late = len(server.connections) + len(server.bridges)
        if late:
            log.warning("%d browsers have not said good-bye in time", late)
        for session in list(server.connections.values()):
            _abort(session)
        for bridge in list(server.bridges):
            bridge.abort()
        self._finish()

    def _finish(self) -> None:
        for timer in self._timers.values():
            if timer.active():
                timer.cancel()
        self._timers.clear()
        if not self.finished.called:
            self.finished.callback(None)

    def _set(self, name: str, seconds: float, call: Any) -> None:
        if self.finished.called:
            return
        timer = self._timers.get(name)
        if timer is not None and timer.active():
            timer.cancel()
        self._timers[name] = self._clock.callLater(seconds, call)


def _abort(session: "TCPConnectionResource") -> None:
    session.abortConnection()
    session.flush(session.clock.seconds())
