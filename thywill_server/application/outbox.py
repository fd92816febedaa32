"""Sending waits for the commit: a roll-back sends nothing.

Django's ``transaction.on_commit`` belongs to a thread's connection, and three callers need more:

* Outside a transaction nothing may touch the database, so the action runs at once.
* An ``async`` function runs in an event loop's thread, while the transaction around it belongs to
  the web thread that waits. Its actions are kept in order and handed to that thread.
* An action that fails in a commit has nobody to raise to. Within `handling` its refusal is kept,
  and raised when the handler is done.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from thywill_server.errors import Refusal

if TYPE_CHECKING:
    from thywill_server.push.base import PushComponent

log = logging.getLogger(__name__)

Action = Callable[[], None]


@dataclass(slots=True)
class _Call:
    """What one running handler sends through, has sent from an event loop, and was refused."""

    push: PushComponent
    in_transaction: bool
    waiting: list[Action] = field(default_factory=list)
    refusal: Refusal | None = None


_current: ContextVar[_Call | None] = ContextVar("thywill_call", default=None)


def when_committed(action: Action) -> None:
    """Run an action after the transaction of this thread, or at once when there is none."""
    call = _current.get()
    if _is_in_event_loop():
        if call is not None and call.in_transaction:
            call.waiting.append(action)
        else:
            action()
        return
    if call is not None:
        _hand_over(call)
    _on_commit(action, call)


def push_of_running_handler() -> PushComponent | None:
    """Give the push component that the handler in this context was called with, if any."""
    call = _current.get()
    return call.push if call is not None else None


@contextmanager
def handling(push: PushComponent) -> Iterator[None]:
    """Run a handler: at the end, what it sent is on its way or waits for the commit.

    Raises:
        Refusal: the first one met by what was sent at a commit within the handler.
    """
    from django.db import connection

    call = _Call(push, in_transaction=connection.in_atomic_block)
    token = _current.set(call)
    try:
        yield
    finally:
        _hand_over(call)
        _current.reset(token)
    if call.refusal is not None:
        raise call.refusal


def _hand_over(call: _Call) -> None:
    waiting, call.waiting = call.waiting, []
    for action in waiting:
        _on_commit(action, call)


def _on_commit(action: Action, call: _Call | None) -> None:
    from django.db import connection, transaction

    # on_commit outside a transaction would open a connection only to learn that there is none.
    if not connection.in_atomic_block:
        action()
        return

    def run() -> None:
        # An exception here would take the other actions of this commit with it.
        try:
            action()
        except Refusal as refusal:
            if call is not None and call.refusal is None:
                call.refusal = refusal
            log.error("nothing was pushed after a commit: %s", refusal)
        except Exception:
            log.exception("nothing was pushed after a commit")

    transaction.on_commit(run)


def _is_in_event_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True
