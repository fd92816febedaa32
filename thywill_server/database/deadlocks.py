"""What to do when two transactions wait for each other: the database ends one, which begins again.

A server that finds a deadlock rolls one of its transactions back as a whole. Whoever began that
transaction can do it again, and nobody else: inside a transaction of the application's author the
error goes on to whoever began that one.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Final, ParamSpec, TypeVar

from django.db import OperationalError, connection

ATTEMPTS: Final = 5
"""How often a step is tried before its deadlock is an error."""

MYSQL_DEADLOCK: Final = 1213
"""ER_LOCK_DEADLOCK: "Deadlock found when trying to get lock; try restarting transaction"."""

POSTGRESQL_DEADLOCK: Final = "40P01"
"""SQLSTATE deadlock_detected."""

P = ParamSpec("P")
T = TypeVar("T")


def retried(step: Callable[P, T]) -> Callable[P, T]:
    """Wrap a step that begins its own transactions, and may be done again as a whole."""

    @wraps(step)
    def try_again(*args: P.args, **kwargs: P.kwargs) -> T:
        for _ in range(ATTEMPTS - 1):
            try:
                return step(*args, **kwargs)
            except OperationalError as error:
                if connection.in_atomic_block or not is_deadlock(error):
                    raise
        return step(*args, **kwargs)

    return try_again


def is_deadlock(error: OperationalError) -> bool:
    """Tell whether the database ended this transaction in favor of another one."""
    is_mysql = error.args[:1] == (MYSQL_DEADLOCK,)
    return is_mysql or getattr(error.__cause__, "sqlstate", None) == POSTGRESQL_DEADLOCK
