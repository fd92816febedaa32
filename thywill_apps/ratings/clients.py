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

    def __init__(self, bounds: Bounds, clock: Callable[[], float], **traits: Any) -> None:
        super().__init__(**traits)
        self._bounds, self._clock = bounds, clock
        self._messages: deque[float] = deque(maxlen=bounds.messages_a_minute)
        self._changes: deque[float] = deque(maxlen=bounds.changes_a_second)

    def setattr(self, name: str, value: Any, message_id: str) -> None:
        """Do what a page asks for by setting a trait.

        Raises:
            RefusedError: there is no such trait, the value is none, or it comes too often.
        """
        if name == "entry_field":
            text = self._text(value)
            self._take(self._messages, 60.0)
            self.model.add_message(self.name, text, f"{self.id}:{message_id}")
        elif name == "rating_selector":
            self._take(self._changes, 1.0)
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
        if len(text) > self._bounds.max_characters:
            most = self._bounds.max_characters
            raise RefusedError("invalid-message", f"A message has at most {most} characters.")
        return text

    def _take(self, times: deque[float], seconds: float) -> None:
        now = self._clock()
        if len(times) == times.maxlen and now - times[0] < seconds:
            raise RefusedError("too-many-requests", "This comes too often; wait a little.", 429)
        times.append(now)
