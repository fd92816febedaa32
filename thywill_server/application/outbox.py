"""Sending waits for the commit: a roll-back sends nothing.

Django's ``transaction.on_commit`` belongs to a thread's connection, and four callers need more:

* Outside a transaction nothing may touch the database, so the action runs at once.
* An ``async`` function runs in an event loop's thread, while the transaction around it belongs to
  the web thread that waits. Its actions are kept in order and handed to that thread.
* What an ``async`` function stores belongs into that transaction as well, and into that thread.
* An action that fails in a commit has nobody to raise to. Within `handling` its refusal is kept,
  and raised when the handler is done.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from contextvars import ContextVar, Token
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from thywill_server.errors import Refusal

if TYPE_CHECKING:
    from thywill_server.application.base import ApplicationComponent
    from thywill_server.push.base import PushComponent

log = logging.getLogger(__name__)

Action = Callable[[], None]


@dataclass(slots=True)
class Call:
    """What one running handler sends through, has sent from an event loop, and was refused.

    Attributes:
        push: the push component it was called with.
        component: the application component, where there is one.
        application: the application's name.
        in_transaction: whether it was called in one.
        waiting: what it has done in an event loop and the web thread is to do, in order.
        refusal: the first one met at a commit.
    """

    push: PushComponent
    component: ApplicationComponent | None
    application: str
    in_transaction: bool
    waiting: list[Action] = field(default_factory=list)
    refusal: Refusal | None = None


_current: ContextVar[Call | None] = ContextVar("thywill_call", default=None)


def when_committed(action: Action) -> None:
    """Run an action after the transaction of this thread, or at once when there is none."""
    call = _current.get()
    if _is_in_event_loop():
        # Behind what waits already, since the order is a promise.
        if call is not None and (call.in_transaction or call.waiting):
            call.waiting.append(lambda: _on_commit(action, call))
        else:
            action()
        return
    if call is not None:
        _hand_over(call)
    _on_commit(action, call)


def in_transaction(action: Action) -> None:
    """Run an action that uses the database: now, or in the web thread of an ``async`` handler.

    Raises:
        RuntimeError: this is an event loop, and no handler of ours.
    """
    call = _current.get()
    if not _is_in_event_loop():
        if call is not None:
            _hand_over(call)
        action()
    elif call is not None:
        call.waiting.append(action)
    else:
        raise RuntimeError("the database cannot be used in an event loop: await apublish(...)")


def running_call() -> Call | None:
    """Give the call of the handler that runs in this context, if any."""
    return _current.get()


class handling:  # noqa: N801 - a function to whoever uses it
    """Run a handler: at the end, what it sent is on its way or waits for the commit.

    Raises:
        Refusal: the first one met by what was sent at a commit within the handler.
    """

    __slots__ = ("_call", "_token")

    def __init__(
        self,
        push: PushComponent,
        component: ApplicationComponent | None = None,
        application: str = "",
    ) -> None:
        self._call = Call(push, component, application, in_transaction=False)

    def __enter__(self) -> None:
        from django.db import DEFAULT_DB_ALIAS, connections

        self._call.in_transaction = connections[DEFAULT_DB_ALIAS].in_atomic_block
        self._token: Token[Call | None] = _current.set(self._call)

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        call = self._call
        try:
            if error is None:
                _finish(call)
            else:
                _hand_over_after_failure(call)
        finally:
            _current.reset(self._token)
        if error is None and call.refusal is not None:
            raise call.refusal


def _finish(call: Call) -> None:
    try:
        _hand_over(call)
    except BaseException:
        _hand_over_after_failure(call)
        raise


def _hand_over(call: Call) -> None:
    if call.waiting:
        waiting, call.waiting = call.waiting, []
        for action in waiting:
            action()


def _hand_over_after_failure(call: Call) -> None:
    """What was published before a handler failed is published, but for a roll-back."""
    from django.db import connection

    if connection.in_atomic_block and connection.needs_rollback:
        call.waiting.clear()
    try:
        _hand_over(call)
    except Exception:
        log.exception("nothing more was published after a handler had failed")


def _on_commit(action: Action, call: Call | None) -> None:
    from django.db import DEFAULT_DB_ALIAS, connections

    connection = connections[DEFAULT_DB_ALIAS]
    # on_commit outside a transaction would open a connection only to learn that there is none. In
    # one that is managed by hand it raises, since nobody would tell it of the commit.
    is_manual = connection.connection is not None and not connection.autocommit
    if not connection.in_atomic_block and not is_manual:
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

    connection.on_commit(run)


def _is_in_event_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True
