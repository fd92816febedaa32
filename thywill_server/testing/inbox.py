"""What a page or a channel has been given, and waiting for it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from thywill_server.testing.errors import NothingCame

__all__ = ["ANYTHING", "EXPECT_SECONDS", "Inbox", "Pushed"]

EXPECT_SECONDS: Final = 5.0
"""How long something is waited for, unless the test says otherwise."""

MAX_SHOWN = 20
MAX_SHOWN_CHARACTERS = 200


class _Anything:
    def __eq__(self, other: object) -> bool:
        return True

    def __hash__(self) -> int:
        return 0

    def __repr__(self) -> str:
        return "ANYTHING"


ANYTHING: Final[Any] = _Anything()
"""Equal to everything: for data, or parts of it, that a test does not care about."""


@dataclass(frozen=True, slots=True)
class Pushed:
    """A message as it came to a page.

    Attributes:
        event: its name; None for a message without one.
        data: what JSON gave, or text.
        offset: its place in a channel with history.
        replayed: whether it comes from the history.
        content_type: of what was pushed to the page itself.
    """

    event: str | None
    data: Any
    offset: int | None = None
    replayed: bool = False
    content_type: str = field(default="application/json", compare=False)

    def __str__(self) -> str:
        place = "" if self.offset is None else f" (offset {self.offset})"
        data = repr(self.data)
        if len(data) > MAX_SHOWN_CHARACTERS:
            data = f"{data[:MAX_SHOWN_CHARACTERS]}..."
        return f"{_name(self.event)} {data}{place}"


class Inbox:
    """Messages in the order in which they came.

    Args:
        owner: how the page or the channel is called in a failure.
        run: turns the loop until something is the case, for so many seconds at most.
        state: says how things are, for a failure.

    Attributes:
        received: all of them.
    """

    def __init__(
        self,
        owner: str,
        run: Callable[[Callable[[], bool], float], bool],
        state: Callable[[], str],
    ) -> None:
        self._owner, self._run, self._state = owner, run, state
        self.received: list[Pushed] = []
        self._unread: list[Pushed] = []

    def add(self, message: Pushed) -> None:
        """Note a message."""
        self.received.append(message)
        self._unread.append(message)

    def expect(self, event: str | None, data: Any, seconds: float) -> Pushed:
        """Give the first unread message that fits, waiting for it; the others stay unread.

        Raises:
            NothingCame: none has come in time.
        """
        if self._run(lambda: self._find(event, data) is not None, seconds):
            found = self._find(event, data)
            assert found is not None
            self._unread = [message for message in self._unread if message is not found]
            return found
        wanted = _name(event) + ("" if data is ANYTHING else f" with {data!r}")
        raise NothingCame(f"{self._owner}: no {wanted} came in {seconds:g} s.\n{self.told()}")

    def refuse(self, event: str | None, data: Any) -> None:
        """Fail if an unread message fits."""
        found = self._find(event, data)
        if found is not None:
            raise AssertionError(f"{self._owner}: this came, and was not to: {found}")

    def told(self) -> str:
        """Say what has come, for a failure."""
        lines = [f"It is {self._state()}."]
        if not self.received:
            lines.append("Nothing has come at all.")
        else:
            lines.append("This has come (* was expected and found before):")
            shown = self.received[-MAX_SHOWN:]
            if len(shown) < len(self.received):
                lines.append(f"    ... {len(self.received) - len(shown)} before")
            for message in shown:
                is_read = not any(message is each for each in self._unread)
                lines.append(f"  {'*' if is_read else ' '} {message}")
        return "\n".join(lines)

    def _find(self, event: str | None, data: Any) -> Pushed | None:
        for message in self._unread:
            if message.event == event and data == message.data:
                return message
        return None


def _name(event: str | None) -> str:
    return "a message" if event is None else f'"{event}"'
