"""The order of one channel's messages: each once, none before the one it follows.

The same rules as in ``static/thywill/sequence.js``, which is the browser's; they are told in
``documentation/reference/wire.md``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

__all__ = ["Cursor", "Numbered", "Sequence"]

MAX_HELD = 500
"""How many messages wait at most for those before them; the history has the others."""


@dataclass(frozen=True, slots=True)
class Cursor:
    """The position after a message."""

    epoch: str
    offset: int


@dataclass(frozen=True, slots=True)
class Numbered:
    """A message with its place in the channel; ``is_replayed``: it comes from the history."""

    epoch: str
    offset: int
    event: str
    data: Any
    is_replayed: bool = False


class Sequence:
    """What was delivered of a channel, and what cannot be yet."""

    def __init__(self) -> None:
        self.cursor: Cursor | None = None
        self._held: dict[int, Numbered] = {}
        self._is_another_epoch = False

    @property
    def has_gap(self) -> bool:
        """Whether something is missing that only the site can give."""
        return bool(self._held) or self._is_another_epoch

    def take(self, message: Numbered) -> list[Numbered]:
        """Take a message that was pushed; gives what can be delivered now."""
        cursor = self.cursor
        if cursor is not None and cursor.epoch == "" and message.offset == 1:
            cursor = self.cursor = Cursor(message.epoch, 0)  # the channel's very first message
        if cursor is not None and message.epoch != cursor.epoch:
            self._is_another_epoch = True
            return []
        if cursor is not None and message.offset <= cursor.offset:
            return []
        if cursor is not None and message.offset == cursor.offset + 1:
            self._held.pop(message.offset, None)
            return [self._delivered(message), *self._drained()]
        if len(self._held) < MAX_HELD:
            self._held[message.offset] = message
        return []

    def answer(self, answer: Mapping[str, Any]) -> tuple[bool, list[Numbered]]:
        """Take what the site has answered to the cursor.

        Returns:
            whether it follows what was delivered before, and what can be delivered now.
        """
        epoch, messages = answer["epoch"], answer["messages"]
        start = messages[0]["offset"] - 1 if messages else answer["offset"]
        is_whole = self._follows(epoch, start) or answer["recovered"] is not False
        if not is_whole or self.cursor is None:
            self._start_at(Cursor(epoch, start))
        elif self.cursor.epoch == "":
            self.cursor = Cursor(epoch, self.cursor.offset)  # there was no message before
        self._is_another_epoch = False
        found = []
        for each in messages:
            if self.cursor is None or each["offset"] > self.cursor.offset:
                self._held.pop(each["offset"], None)
                message = Numbered(epoch, each["offset"], each["event"], each["data"], True)
                found.append(self._delivered(message))
        return is_whole, [*found, *self._drained()]

    def _follows(self, epoch: str, start: int) -> bool:
        cursor = self.cursor
        return cursor is not None and cursor.epoch == epoch and cursor.offset >= start

    def _start_at(self, cursor: Cursor) -> None:
        self.cursor = cursor
        self._held = {
            offset: message
            for offset, message in self._held.items()
            if message.epoch == cursor.epoch and offset > cursor.offset
        }

    def _delivered(self, message: Numbered) -> Numbered:
        self.cursor = Cursor(message.epoch, message.offset)
        return message

    def _drained(self) -> list[Numbered]:
        found = []
        while self.cursor is not None and self.cursor.offset + 1 in self._held:
            found.append(self._delivered(self._held.pop(self.cursor.offset + 1)))
        return found
