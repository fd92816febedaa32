"""One object for each web client, which turns what its page sets into calls of the model."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

from traits.api import Bool, HasTraits, Instance, Str, TraitError

from thywill_apps.ratings.bounds import Bounds
from thywill_apps.ratings.model import LEAST, MOST, RatedTalk


class RefusedError(Exception):
    """A page asks for what it may not have.

    Attributes:
        code: as in the reference of codes.
        status: the HTTP status.
    """

    def __init__(self, code: str, sentence: str, status: int = 400) -> None:
        super().__init__(sentence)
        self.code, self.status = code, status


class Pace:
    """So many in so many seconds, and no more.

    Args:
        most: how many.
        seconds: in how many.
        clock: gives seconds.
    """

    def __init__(self, most: int, seconds: float, clock: Callable[[], float]) -> None:
        self._times: deque[float] = deque(maxlen=most)
        self._seconds, self._clock = seconds, clock

    def check(self) -> None:
        """Raise RefusedError where one more is too many."""
        times = self._times
        if len(times) == times.maxlen and self._clock() - times[0] < self._seconds:
            raise RefusedError("too-many-requests", "This comes too often; wait a little.", 429)

    def count(self) -> None:
        """Note one more."""
        self._times.append(self._clock())


class WebClient(HasTraits):
    """The handler of one page.

    Attributes:
        id: the page's uuid.
        session: stands for its browser's session.
        name: how others read what it says.
        model: what it works on.
        is_here: whether it has been heard of since this process began.
    """

    id = Str()
    session = Str()
    name = Str()
    model = Instance(RatedTalk, allow_none=False)
    is_here = Bool(False)

    def __init__(
        self, bounds: Bounds, clock: Callable[[], float], everybody: Pace, **traits: Any
    ) -> None:
        super().__init__(**traits)
        self._max_characters = bounds.max_characters
        self._messages = (everybody, Pace(bounds.messages_a_minute, 60.0, clock))
        self._changes = (Pace(bounds.changes_a_second, 1.0, clock),)

    def setattr(self, name: str, value: Any, message_id: str) -> None:
        """Do what a page asks for by setting a trait.

        Raises:
            RefusedError: there is no such trait, the value is none, or it comes too often.
        """
        if name == "entry_field":
            text = self._text(value)
            _take(self._messages)
            self.model.add_message(self.name, text, f"{self.id}:{message_id}")
        elif name == "rating_selector":
            _take(self._changes)
            self.rate(value)
        else:
            raise RefusedError("invalid-message", f"There is no trait {name!r:.40} to set.")

    def rate(self, value: Any) -> None:
        """Take over a page's rating; None: it has none."""
        if isinstance(value, bool):
            value = str(value)
        try:
            self.model.rate(self.id, value)
        except TraitError:
            sentence = f"A rating is a whole number of {LEAST} to {MOST}."
            raise RefusedError("invalid-message", sentence) from None

    def _text(self, value: Any) -> str:
        if not isinstance(value, str):
            raise RefusedError("invalid-message", "A message is text.")
        text = " ".join(value.replace("\x00", "").split())
        text = text.encode("utf-8", "replace").decode()
        if not text:
            raise RefusedError("invalid-message", "There is nothing in an empty message.")
        if len(text) > self._max_characters:
            sentence = f"A message has at most {self._max_characters} characters."
            raise RefusedError("invalid-message", sentence)
        return text


def _take(paces: tuple[Pace, ...]) -> None:
    for pace in paces:
        pace.check()
    for pace in paces:
        pace.count()
