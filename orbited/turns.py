"""The end of a reactor's turn, where what its reads have caused is written."""

import functools
from collections.abc import Callable
from typing import Any

from twisted.internet.interfaces import IReactorTime

__all__ = ["after_reads"]


def after_reads(clock: IReactorTime) -> Callable[[Callable[[], object]], Any]:
    """Give what calls a function when all that can be read in this turn has been read.

    Outside of the reads that is soon. A reactor that knows no such moment (Twisted's own) calls it
    among its timed calls, which come next.
    """
    own: Callable[[Callable[[], object]], Any] | None = getattr(clock, "call_after_reads", None)
    return own or functools.partial(clock.callLater, 0)
