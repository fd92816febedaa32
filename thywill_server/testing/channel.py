"""One channel in a virtual browser, with the rules of ``static/thywill/channel.js``.

Joining is the same each time a push connection is new::

    ask         a ticket, and what is missing since the cursor
    subscribe   with the ticket; confirmed
    ask         what has fallen between

and the site is asked again when a message is missing, and before the ticket ends: then the new
ticket is shown to the broker.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from typing import Any, Literal, Protocol

from thywill_server.testing.errors import Refused
from thywill_server.testing.inbox import ANYTHING, EXPECT_SECONDS, Inbox, Pushed
from thywill_server.testing.lines import Line
from thywill_server.testing.loop import Loop, Timer
from thywill_server.testing.sequence import Cursor, Numbered, Sequence

__all__ = ["VirtualChannel"]

MAY_RETRY = frozenset(
    {
        "network",
        "still-handling",
        "push-unavailable",
        "too-many-requests",
        "site-failed",
        "application-failed",
    }
)
"""Refusals that a further attempt may change; and those of a proxy, ``http-5..``."""

GAP_SECONDS = 0.3
"""How long a missing message is waited for before the site is asked."""

RETRY_SECONDS = 0.2
RENEW_SHARE = 0.7
LATE_SECONDS = 3.0
"""So near to its end a ticket may be over already, by another clock."""


class Page(Protocol):
    """What a channel needs of its page."""

    loop: Loop
    line: Line

    def ask(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        """POST to ``/thywill/channel/``."""

    def first_answer(self, channel: str) -> dict[str, Any] | None:
        """Give what came with the page about a channel, once."""

    def forget_channel(self, channel: VirtualChannel) -> None:
        """The page has left it."""

    def settle(self) -> None:
        """Wait for what is on its way."""

    def wait(self, is_done: Callable[[], bool], seconds: float) -> bool:
        """Turn the loop."""


class VirtualChannel:
    """A channel, as one page hears it.

    Attributes:
        name: of the channel.
        state: ``joining``, ``joined``, ``refused`` or ``left``.
        refusal: why it was refused.
    """

    def __init__(self, name: str, page: Page, replay: int | None = None) -> None:
        self.name = name
        self.state: Literal["joining", "joined", "refused", "left"] = "joining"
        self.refusal: Refused | None = None
        self._page, self._replay = page, replay
        self._sequence = Sequence()
        self._inbox = Inbox(f'channel "{name}"', page.wait, lambda: self.state)
        self._destination: str | None = None
        self._is_open = self._is_subscribed = self._is_busy = False
        self._connection = 0
        self._answer: Mapping[str, Any] = {}
        self._is_renewal_due = False
        self._ends_at: float | None = None
        self._timers: dict[str, Timer] = {}

    def __repr__(self) -> str:
        return f"<VirtualChannel {self.name!r} {self.state}>"

    @property
    def cursor(self) -> Cursor | None:
        """The position after the last message that was delivered; None without history."""
        return self._sequence.cursor

    @property
    def destination(self) -> str:
        """Where its messages come down; empty before the site has told it."""
        return self._destination or ""

    @property
    def received(self) -> list[Pushed]:
        """All that the channel has delivered, in order.

        Beside what the application publishes there are ``snapshot``, and after an interruption
        ``recovered`` with True or False, as in a page.
        """
        return list(self._inbox.received)

    def expect(
        self, event: str, data: Any = ANYTHING, *, seconds: float = EXPECT_SECONDS
    ) -> Pushed:
        """Wait for an event; gives the first one that was not expected before.

        Args:
            event: its name.
            data: what it must be equal to; `ANYTHING` may stand for it, or in it.
            seconds: how long to wait.

        Raises:
            NothingCame: with all that has come.
        """
        return self._inbox.expect(event, data, seconds)

    def expect_nothing(self, event: str, data: Any = ANYTHING) -> None:
        """Make sure that an event has not come and is not on its way either.

        What this process has published until now is waited for, so there is nothing to guess.

        Raises:
            AssertionError: it has come, and was not expected before.
        """
        self._page.settle()
        self._inbox.refuse(event, data)

    def presence(self) -> list[dict[str, Any]]:
        """Ask who is here: ``identity`` and ``name`` of each.

        Raises:
            Refused: by the application, or the channel has no presence.
        """
        found: list[dict[str, Any]] = self._page.ask({"channel": self.name, "presence": True})[
            "presence"
        ]
        return found

    def leave(self) -> None:
        """Leave; nothing is heard from then on."""
        if self.state != "left":
            self._end("left")
            self._page.forget_channel(self)

    # For the page.

    def connected(self) -> None:
        """A push connection is there, and nothing is subscribed on it."""
        self._connection += 1
        self._is_open, self._is_subscribed, self._is_busy = True, False, False
        self._synchronize()

    def closed(self) -> None:
        """There is none."""
        self._is_open = self._is_subscribed = False
        self._cancel()

    def refuse(self, refusal: Refused) -> None:
        """Be refused for good."""
        if self._is_alive:
            self.refusal = refusal
            self._end("refused")

    def receive(self, event: str, data: Any, epoch: str | None, offset: int | None) -> None:
        """Take a message that was pushed."""
        if epoch is None or offset is None:
            self._deliver(event, data)
            return
        for message in self._sequence.take(Numbered(epoch, offset, event, data)):
            self._deliver_numbered(message)
        self._watch_gap()

    # Asking the site, one question at a time.

    @property
    def _is_alive(self) -> bool:
        return self.state in ("joining", "joined")

    def _synchronize(self) -> None:
        if self._is_busy or not self._is_open or not self._is_alive:
            return
        self._is_busy = True
        try:
            if self._is_subscribed:
                self._fetch()
                self._is_busy = False
                self._watch_gap()
                if self._is_renewal_due and self._is_alive:
                    self._renew()
            else:
                self._join()
        except Refused as refusal:
            self._is_busy = False
            self._failed(refusal)

    def _join(self) -> None:
        connection = self._connection
        answer = self._page.first_answer(self.name) or self._ask()
        is_whole = self._apply(answer)

        def confirmed() -> None:
            if connection != self._connection or not self._is_alive:
                return
            self._is_subscribed = True
            self._shown(answer)
            try:
                whole = (not answer["has_history"] or self._fetch()) and is_whole
            except Refused as refusal:
                self._is_busy = False
                self._failed(refusal)
                return
            self._is_busy = False
            self._joined(answer["has_history"], whole)

        if self._is_alive and self._is_open:
            self._page.line.subscribe(answer["destination"], answer["ticket"], confirmed)

    def _renew(self) -> None:
        connection, answer = self._connection, self._answer

        def confirmed() -> None:
            if connection != self._connection or not self._is_alive:
                return
            was_late = self._ends_at is not None and time.monotonic() > self._ends_at - LATE_SECONDS
            self._shown(answer)
            if was_late and answer["has_history"]:
                self._synchronize()
            elif was_late:
                self._deliver("recovered", False)  # what was published meanwhile is nowhere

        self._page.line.renew(answer["ticket"], confirmed)

    def _shown(self, answer: Mapping[str, Any]) -> None:
        """The broker has a ticket: get the next one in time."""
        self._cancel("renewal")
        self._is_renewal_due, self._ends_at = False, None
        seconds = answer["expires_in"]
        if seconds is not None:
            self._ends_at = time.monotonic() + seconds

            def renew() -> None:
                self._is_renewal_due = True
                self._synchronize()

            self._later("renewal", max(0.5, (seconds - 1) * RENEW_SHARE), renew)

    def _joined(self, has_history: bool, is_whole: bool) -> None:
        is_first = self.state == "joining"
        if not self._is_alive:
            return
        self.state = "joined"
        if not is_first and has_history and is_whole:
            self._deliver("recovered", True)
        elif not is_first and not has_history:
            self._deliver("recovered", False)  # what was published meanwhile is nowhere
        self._watch_gap()

    def _fetch(self) -> bool:
        is_whole = True
        while True:
            answer = self._ask()
            is_whole = self._apply(answer) and is_whole
            if not answer["more"] or not self._is_alive:
                return is_whole

    def _ask(self) -> dict[str, Any]:
        cursor = self._sequence.cursor
        fields: dict[str, Any] = {"channel": self.name, "after": None, "replay": self._replay}
        if cursor is not None:
            after = {"epoch": cursor.epoch, "offset": cursor.offset}
            fields = {"channel": self.name, "after": after}
        return self._page.ask(fields)

    def _apply(self, answer: Mapping[str, Any]) -> bool:
        self._answer, self._destination = answer, answer["destination"]
        if not answer["has_history"]:
            return True
        is_whole, messages = self._sequence.answer(answer)
        if not is_whole:
            self._deliver("recovered", False)
        if (not is_whole or answer["recovered"] is None) and "snapshot" in answer:
            self._inbox.add(Pushed("snapshot", answer["snapshot"], answer["offset"], True))
        for message in messages:
            self._deliver_numbered(message)
        return is_whole

    def _failed(self, refusal: Refused) -> None:
        may_retry = refusal.code in MAY_RETRY or re.match("http-5", refusal.code)
        if may_retry and self._is_open:
            self.refusal = refusal
            delay = max(RETRY_SECONDS, refusal.retry_after or 0)
            self._later("retry", delay, self._synchronize)
        elif not may_retry:
            self.refuse(refusal)

    def _watch_gap(self) -> None:
        if not self._sequence.has_gap:
            self._cancel("gap")
        elif self._is_subscribed and "gap" not in self._timers:

            def ask() -> None:
                del self._timers["gap"]
                self._synchronize()

            self._later("gap", GAP_SECONDS, ask)

    def _end(self, state: Literal["refused", "left"]) -> None:
        self.state = state
        self._cancel()
        if self._destination is not None and self._is_open:
            self._page.line.unsubscribe(self._destination, self.name)

    def _deliver_numbered(self, message: Numbered) -> None:
        if self._is_alive:
            pushed = Pushed(message.event, message.data, message.offset, message.is_replayed)
            self._inbox.add(pushed)

    def _deliver(self, event: str, data: Any) -> None:
        if self._is_alive:
            self._inbox.add(Pushed(event, data))

    def _later(self, name: str, seconds: float, function: Callable[[], object]) -> None:
        self._cancel(name)
        self._timers[name] = self._page.loop.call_later(seconds, function)

    def _cancel(self, name: str | None = None) -> None:
        for each in [name] if name is not None else list(self._timers):
            timer = self._timers.pop(each, None)
            if timer is not None:
                timer.cancel()
