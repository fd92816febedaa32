"""Several commands in one message: ``{command: argument, ...}``, answered under the same keys.

::

    {"name": "Ada", "draw": {"points": [1, 2]}, "dance": null}

    {"name": true,
     "draw": 7,
     "dance": {"error": {"code": "unknown-command", "message": "..."}}}

The commands run one after the other, in the order of the keys. What goes wrong with one is its
answer, and the others are not touched.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar, Token
from dataclasses import dataclass, field
from typing import Any

from thywill_server.encoding import Json, plain
from thywill_server.errors import ApplicationError, Refusal, TooManyRequests

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Asked:
    """The command that runs in this context.

    Attributes:
        command: the name it was asked for by.
        answers: what the commands before it in the message have answered.
        response: what a function of 2013 fills; None with any other.
        more: further keys that it has set there.
    """

    command: str
    answers: dict[str, Json] = field(default_factory=dict)
    response: dict[str, Json] | None = None
    more: dict[str, Json] = field(default_factory=dict)

    def finish(self, returned: Any) -> Any:
        """Give the answer: what the function returned, or has put into its response."""
        response, self.response = self.response, None
        if response is None:
            return returned
        changed = {
            key: value
            for key, value in response.items()
            if key not in self.answers or self.answers[key] != value
        }
        own = changed.pop(self.command, None)
        self.more = plain(changed)
        return own if returned is None or returned is response else returned


_asked: ContextVar[Asked | None] = ContextVar("thywill_asked", default=None)

Watcher = Callable[[str, Exception], object]
_watcher: ContextVar[Watcher | None] = ContextVar("thywill_watcher", default=None)


def asked_for() -> Asked | None:
    """Give what was asked for in this context."""
    return _asked.get()


class watching:  # noqa: N801 - a function to whoever uses it
    """Tell somebody of each command that fails in a message of several, by its name."""

    __slots__ = ("_token", "_told")

    def __init__(self, watcher: Watcher) -> None:
        self._told = watcher

    def __enter__(self) -> None:
        self._token: Token[Watcher | None] = _watcher.set(self._told)

    def __exit__(self, *_: object) -> None:
        _watcher.reset(self._token)


@contextmanager
def asking(command: str | None) -> Iterator[Callable[[Any], Any]]:
    """Run a command; gives what makes its answer of what it returned.

    Args:
        command: its name; None for a message without one.
    """
    asked = _asked.get()
    if command is None or asked is not None:
        yield asked.finish if asked is not None else lambda returned: returned
        return
    asked = Asked(command)
    token = _asked.set(asked)
    try:
        yield asked.finish
    finally:
        _asked.reset(token)


def answer_each(
    content: Json, run: Callable[[str, Json], Json], max_commands: int
) -> dict[str, Json]:
    """Run each command of a message.

    Args:
        content: the message.
        run: gives the answer of a command to an argument, or raises what is wrong.
        max_commands: how many there may be; with more, none is run.

    Returns:
        the answers, in order. One that failed has ``{"error": {"code": ..., "message": ...}}``.

    Raises:
        ApplicationError: ``invalid-message``: this is no such object.
    """
    if not isinstance(content, dict):
        raise ApplicationError("invalid-message", "message: expected {command: argument, ...}.")
    if len(content) > max_commands:
        sentence = f"message: expected at most {max_commands} commands, got {len(content)}."
        raise ApplicationError("invalid-message", sentence)
    answers: dict[str, Json] = {}
    for command, argument in content.items():
        asked = Asked(command, answers)
        token = _asked.set(asked)
        try:
            answers[command] = _answer(command, argument, run)
        finally:
            _asked.reset(token)
        answers.update(asked.more)
    return answers


def _answer(command: str, argument: Json, run: Callable[[str, Json], Json]) -> Json:
    from django.core.exceptions import PermissionDenied

    try:
        with _savepoint():
            return run(command, argument)
    except Exception as error:
        watcher = _watcher.get()
        if watcher is not None:
            watcher(command, error)
        if isinstance(error, Refusal):
            return _error(error)
        if isinstance(error, PermissionDenied):
            return _error(Refusal("not-allowed"))
        log.exception('the command "%.60s" failed', command)
        return _error(Refusal("application-failed"))


def _error(refusal: Refusal) -> dict[str, Json]:
    error: dict[str, Json] = {"code": refusal.code, "message": refusal.sentence}
    if isinstance(refusal, TooManyRequests):
        error["retry_after"] = round(refusal.retry_after_seconds, 3)
    return {"error": error}


@contextmanager
def _savepoint() -> Iterator[None]:
    """In a site with ``ATOMIC_REQUESTS``, undo a command that fails, and only that one."""
    from django.db import connection, transaction

    if connection.in_atomic_block:
        with transaction.atomic():
            yield
    else:
        yield
