"""Push in memory, as a page has it: it asks the site, as ``static/thywill/push/in_memory.js`` does.

A page asks and waits; a test asks again and again while it waits, since the answer would come from
its own thread.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from thywill_server.testing.errors import Refused
from thywill_server.testing.lines import FINAL, RETRY_SECONDS, Owner
from thywill_server.testing.loop import Loop, Timer

__all__ = ["MemoryLine"]

ASK_SECONDS = 0.01
"""How often push in memory is asked while something is waited for."""


class MemoryLine:
    """Questions to the site, for push in memory.

    Args:
        owner: is told.
        loop: turns while the test waits.
        parameters: of the page.
        forget: has the site forget what it keeps for the page.
    """

    transport = "longpoll"

    def __init__(
        self,
        owner: Owner,
        loop: Loop,
        parameters: Mapping[str, Any],
        forget: Callable[[], object],
    ) -> None:
        self._owner, self._loop, self._forget = owner, loop, forget
        self._push_path, self._channel_path = parameters["push_path"], parameters["channel_path"]
        self._after = 0
        self._queue: int | None = None
        self._is_open = False
        self._timer: Timer | None = None

    def open(self) -> None:
        """Ask, and go on asking."""
        self._is_open = True
        self._ask()

    def close(self) -> None:
        """Ask no more."""
        self._is_open = False
        if self._timer is not None:
            self._timer.cancel()

    def cut(self, is_for_long: bool) -> None:
        """Ask no more for now."""
        self.close()
        if is_for_long:
            self._forget()

    def resume(self) -> None:
        """Ask again."""
        self.open()
        if self._is_open:
            self._owner.established()

    def subscribe(self, destination: str, ticket: str, confirmed: Callable[[], object]) -> None:
        """Do nothing: the site has subscribed the page when it gave the ticket."""
        confirmed()

    def renew(self, ticket: str, confirmed: Callable[[], object]) -> None:
        """Do nothing: there are no tickets."""
        confirmed()

    def unsubscribe(self, destination: str, channel: str) -> None:
        """Let the site know."""
        self._owner.request(self._channel_path, {"channel": channel, "leave": True})

    def _ask(self) -> None:
        if not self._is_open:
            return
        try:
            answer = self._owner.request(self._push_path, {"after": self._after, "wait": False})
        except Refused as refusal:
            if refusal.code in FINAL:
                self.close()
                self._owner.connection_refused(refusal)
                return
            self._timer = self._loop.call_later(RETRY_SECONDS, self._ask)
            return
        is_first = self._queue is None
        if answer["queue"] != self._queue:
            self._queue = answer["queue"]
            self._owner.connected()
        if is_first:
            self._owner.established()
        for message in answer["messages"]:
            self._after = message["id"]
            headers = {"content-type": message["content_type"], **message["headers"]}
            if message["event"] is not None:
                headers["event"] = message["event"]
            self._owner.deliver(message["body"], headers)
        self._timer = self._loop.call_later(0 if answer["messages"] else ASK_SECONDS, self._ask)
