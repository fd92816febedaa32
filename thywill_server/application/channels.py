"""Channels: patterns of names, and what an application has declared for them.

A pattern is text with fields, ``room:{room}``. A field stands for one character or more, none of
them a colon. So ``room:lobby`` is a channel of that pattern and ``room:a:b`` is not.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from thywill_server.encoding import Json
from thywill_server.errors import ApplicationError

MAX_NAME_CHARACTERS: Final = 200
MAX_EVENT_CHARACTERS: Final = 100

OWN_EVENTS: Final = frozenset(
    {"join", "leave", "joined", "left", "recovered", "refused", "snapshot"}
)
"""What a page's channel says itself, and presence; nobody publishes events of these names."""

_FIELD = re.compile(r"\{([^{}]*)\}")


class UnknownChannel(ApplicationError):  # noqa: N818 - a refusal, see thywill_server.errors
    """No pattern fits a channel's name."""

    def __init__(self, name: str) -> None:
        super().__init__("unknown-channel", f'There is no channel "{name:.80}".')


@dataclass(frozen=True, slots=True)
class ChannelPattern:
    """The names of some channels.

    Attributes:
        text: such as ``room:{room}``.
        fields: the fields' names, in order.
    """

    text: str
    fields: tuple[str, ...] = field(init=False)
    _expression: re.Pattern[str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        pieces = _FIELD.split(self.text)
        literals, fields = pieces[::2], pieces[1::2]
        if not self.text or any(mark in literal for literal in literals for mark in "{}"):
            raise ValueError(f"channel: expected a name such as room:{{room}}, got {self.text!r}")
        for name in fields:
            if not name.isidentifier() or fields.count(name) > 1:
                raise ValueError(f"channel {self.text!r}: a field needs a name of its own")
        if any(not literal for literal in literals[1:-1]):
            raise ValueError(f"channel {self.text!r}: two fields need text between them")
        expression = re.escape(literals[0])
        for name, literal in zip(fields, literals[1:], strict=True):
            expression += f"(?P<{name}>[^:]+){re.escape(literal)}"
        object.__setattr__(self, "fields", tuple(fields))
        object.__setattr__(self, "_expression", re.compile(expression))

    def match(self, name: str) -> dict[str, str] | None:
        """Give the fields of a channel's name; None when it is none of these channels."""
        found = self._expression.fullmatch(name)
        return None if found is None else found.groupdict()

    def name_of(self, message: Json) -> str:
        """Make a channel's name of a message's fields.

        Args:
            message: an object of JSON, or a dataclass.

        Raises:
            ApplicationError: ``invalid-message``: the message lacks a field, or has one that no
                channel's name can hold.
        """
        return _FIELD.sub(lambda found: _value(message, found[1]), self.text)


@dataclass(frozen=True, slots=True)
class ChannelDeclaration:
    """What an application says about the channels of a pattern.

    Attributes:
        pattern: their names.
        may_join: ``(client, **fields)``; whether a client may.
        history: how many messages are kept; 0: none, and messages have no offsets.
        snapshot: ``(client, **fields)``; gives a page what it starts from; or None.
        presence: whether it is noted who is there.
    """

    pattern: ChannelPattern
    may_join: Callable[..., Any]
    history: int = 0
    snapshot: Callable[..., Any] | None = None
    presence: bool = False


@dataclass(frozen=True, slots=True)
class Channel:
    """One channel of one application."""

    application: str
    name: str
    declaration: ChannelDeclaration
    fields: Mapping[str, str]

    @property
    def history(self) -> int:
        """How many messages are kept."""
        return self.declaration.history


def find_declaration(
    declarations: list[ChannelDeclaration], name: str
) -> tuple[ChannelDeclaration, dict[str, str]] | None:
    """Find the first declaration whose pattern fits; gives its fields too."""
    for declaration in declarations:
        fields = declaration.pattern.match(name)
        if fields is not None:
            return declaration, fields
    return None


def check_name(name: object) -> str:
    """Give a channel's name back.

    Raises:
        ValueError: it is no such name: 1 to 200 printable characters, no spaces at its ends.
    """
    if (
        not isinstance(name, str)
        or not 1 <= len(name) <= MAX_NAME_CHARACTERS
        or not name.isprintable()
        or name != name.strip()
    ):
        raise ValueError(
            f"channel: expected 1 to {MAX_NAME_CHARACTERS} printable characters, got {name!r:.100}"
        )
    return name


def check_event(event: object) -> str:
    """Give an event's name back.

    Raises:
        ValueError: it is no such name, or one of `OWN_EVENTS`.
    """
    if (
        not isinstance(event, str)
        or not 1 <= len(event) <= MAX_EVENT_CHARACTERS
        or not event.isprintable()
    ):
        raise ValueError(
            f"event: expected 1 to {MAX_EVENT_CHARACTERS} printable characters, got {event!r:.100}"
        )
    if event in OWN_EVENTS:
        raise ValueError(f'event: "{event}" is what a page hears from thywill itself')
    return event


def check_arguments(function: Callable[..., Any], pattern: ChannelPattern, what: str) -> None:
    """See to it that a function takes a client and the pattern's fields.

    Raises:
        TypeError: it does not.
    """
    try:
        inspect.signature(function).bind(None, **dict.fromkeys(pattern.fields, ""))
    except TypeError as error:
        arguments = ", ".join(("client", *pattern.fields))
        name = getattr(function, "__qualname__", repr(function))
        raise TypeError(
            f'{name}: {what} of "{pattern.text}" is called with ({arguments}): {error}'
        ) from None


def _value(message: Json, name: str) -> str:
    found = message.get(name) if isinstance(message, Mapping) else getattr(message, name, None)
    if isinstance(found, int) and not isinstance(found, bool):
        found = str(found)
    if not isinstance(found, str) or not found or ":" in found or not found.isprintable():
        sentence = f"message.{name}: expected text that a channel's name can hold"
        raise ApplicationError("invalid-message", sentence)
    return found
