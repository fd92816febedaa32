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
from contextvars import ContextVar
from dataclasses import dataclass, field

from thywill_server.encoding import Json
from thywill_server.errors import ApplicationError, Refusal, TooManyRequests

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Asked:
    """The command that runs in this context.

    Attributes:
        command: the name it was asked for by.
        answers: what the commands before it in the message have answered.
        more: further keys that it has set in its ``response``.
    """

    command: str
    answers: dict[str, Json] = field(default_factory=dict)
    more: dict[str, Json] = field(default_factory=dict)


_asked: ContextVar[Asked | None] = ContextVar("thywill_asked", default=None)


def asked_for() -> Asked | None:
    """Give what was asked for in this context."""
    return _asked.get()


@contextmanager
def asking(command: str | None) -> Iterator[None]:
    """Run a command that came by itself; within `answer_each`, which knows more, do nothing."""
    if command is None or _asked.get() is not None:
        yield
        return
    token = _asked.set(Asked(command))
    try:
        yield
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
    except Refusal as refusal:
        return _error(refusal)
    except PermissionDenied:
        return _error(Refusal("not-allowed"))
    except Exception:
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
