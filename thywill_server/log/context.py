"""Which request, which client and which message a log record belongs to.

Whoever begins to work for somebody says so, and every record written meanwhile has it, in async
functions too, since this is a context variable::

    with log_context(request="9f31c2aa"):
        bind(client=client.uuid, message_id="12")
        log.info("refused")     # 2026-11-20 ... thywill_server: refused [request 9f31c2aa ...]

Only names and numbers go here, never a ticket, a cookie or a body.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Mapping
from contextvars import ContextVar, Token
from typing import Final

NAMES: Final = ("request", "client", "message_id")
"""What a record may have, in the order in which text shows it."""

MAX_CHARACTERS: Final = 64
"""A peer has chosen some of them."""

_nothing: Final[Mapping[str, str]] = {}
_current: ContextVar[Mapping[str, str]] = ContextVar("thywill_log_context", default=_nothing)


class log_context:  # noqa: N801 - a function to whoever uses it
    """Name what is worked for until the block ends; what was bound inside ends with it.

    Args:
        values: for names of `NAMES`; None adds nothing.
    """

    __slots__ = ("_token", "_values")

    def __init__(self, **values: str | None) -> None:
        self._values = values

    def __enter__(self) -> None:
        self._token: Token[Mapping[str, str]] = _current.set(_with(self._values))

    def __exit__(self, *_: object) -> None:
        _current.reset(self._token)


def bind(**values: str | None) -> None:
    """Name more, until the surrounding `log_context` ends."""
    _current.set(_with(values))


def current_context() -> Mapping[str, str]:
    """Give what is known in this thread, or this task, at the moment."""
    return _current.get()


def new_request_id() -> str:
    """Give a name for a request: eight hexadecimal digits, which are no secret."""
    return f"{random.getrandbits(32):08x}"


class ContextFilter(logging.Filter):
    """Puts the context on each record, as ``context``; lets every record through.

    What was given as ``extra`` to the logging call stays as it is.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        """Note the context of the thread that logs."""
        if not hasattr(record, "context"):
            record.context = {
                name: value for name, value in _current.get().items() if not hasattr(record, name)
            }
        return True


def _with(values: Mapping[str, str | None]) -> Mapping[str, str]:
    known = dict(_current.get())
    for name, value in values.items():
        if name not in NAMES:
            raise ValueError(f"log context: expected one of {', '.join(NAMES)}, got {name!r}")
        if value is not None:
            known[name] = value[:MAX_CHARACTERS]
    return known
