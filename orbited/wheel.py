"""One timer for very many sessions.

Each session waits for something nearly always: a heartbeat, a ping, the end of a poll. A timer of
the reactor for each would cost more memory than the rest of an idle session. So sessions that fall
due within the same twentieth of a second share a slot, and the reactor has one timer, for the
earliest slot::

    1.00 {a, c}    1.05 {b}    30.00 {d, e, f, ...}
      ^ the reactor's timer

Nothing falls due too early, and nothing later than a slot is wide.
"""

import heapq
import logging
import math
from typing import Any, Protocol

from twisted.internet.interfaces import IReactorTime

__all__ = ["SLOT_SECONDS", "Timed", "TimerWheel"]

log = logging.getLogger(__name__)

SLOT_SECONDS = 0.05

#: A deadline that stands on a slot's edge, but for what floating point adds, belongs to that slot.
_ROUNDING = 1e-6


class Timed(Protocol):
    """Who waits.

    Attributes:
        slot: belongs to the wheel; 0 while nothing is awaited.
    """

    slot: int

    def tick(self) -> None:
        """It has fallen due; no slot is taken any more."""


class TimerWheel:
    """Who waits, by slot."""

    def __init__(self, clock: IReactorTime) -> None:
        self._clock: Any = clock
        self._slots: dict[int, set[Timed]] = {}
        self._numbers: dict[int, int] = {}  # of these slots, as one object for all who wait
        self._order: list[int] = []
        self._timer: Any = None

    def set(self, timed: Timed, deadline: float) -> None:
        """Call ``timed.tick`` at that time, in place of the time that was set before."""
        slot = max(1, math.ceil(deadline / SLOT_SECONDS - _ROUNDING))
        if slot == timed.slot:
            return
        if timed.slot:
            self._take_out(timed)
        waiting = self._slots.get(slot)
        if waiting is not None:
            timed.slot = self._numbers[slot]
            waiting.add(timed)
            return
        timed.slot = self._numbers[slot] = slot
        self._slots[slot] = {timed}
        heapq.heappush(self._order, slot)
        if self._order[0] == slot:
            self._reschedule()

    def cancel(self, timed: Timed) -> None:
        """Nothing is awaited any more."""
        if timed.slot:
            self._take_out(timed)
            if not self._slots:
                self._reschedule()

    @staticmethod
    def deadline(timed: Timed) -> float:
        """When it falls due; infinity while nothing is awaited."""
        return timed.slot * SLOT_SECONDS if timed.slot else math.inf

    def _take_out(self, timed: Timed) -> None:
        """Leave the slot; an empty one keeps its place in the order until its time comes."""
        waiting = self._slots.get(timed.slot)
        if waiting is not None:
            waiting.discard(timed)
            if not waiting:
                del self._slots[timed.slot], self._numbers[timed.slot]
        timed.slot = 0

    def _reschedule(self) -> None:
        """Set the reactor's timer to the earliest slot that somebody waits in."""
        while self._order and self._order[0] not in self._slots:
            heapq.heappop(self._order)
        timer, self._timer = self._timer, None
        if timer is not None and timer.active():
            timer.cancel()
        if self._order:
            wait = self._order[0] * SLOT_SECONDS - self._clock.seconds()
            self._timer = self._clock.callLater(max(0.0, wait), self._turn)

    def _turn(self) -> None:
        """The earliest slots have fallen due."""
        self._timer = None
        now = math.floor(self._clock.seconds() / SLOT_SECONDS + _ROUNDING)
        due: list[Timed] = []
        while self._order and self._order[0] <= now:
            slot = heapq.heappop(self._order)
            self._numbers.pop(slot, None)
            for timed in self._slots.pop(slot, ()):
                timed.slot = 0
                due.append(timed)
        for timed in due:
            try:
                timed.tick()
            except Exception:
                log.exception("%r failed when something fell due", timed)
        self._reschedule()
