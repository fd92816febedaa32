"""Calls that wait for a reply from another process: each is answered once, or runs out of time.

::

    web thread: begin() -> Call ---(correlation-id)---> application
    web thread: wait(call) <--- answer(correlation-id, body), in the thread that reads the broker

A reply that comes too late, or for the second time, finds no call and is dropped. An application
that is away would collect messages in its queue that nobody waits for any more, so after some
without any answer only a few more are let through, to see whether it is back.
"""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable

from thywill_server.errors import Refusal


class Call:
    """One message that is to be answered."""

    __slots__ = ("_has_answer", "body", "correlation_id")

    def __init__(self) -> None:
        self.correlation_id = uuid.uuid4().hex
        self.body: bytes | None = None
        self._has_answer = threading.Event()

    def answer(self, body: bytes | None) -> None:
        """Give it its reply; None: there will be none."""
        self.body = body
        self._has_answer.set()

    def wait(self, seconds: float) -> bool:
        """Wait for the reply; False when the time is over."""
        return self._has_answer.wait(seconds)


class Calls:
    """All calls of one process; used in any thread.

    Args:
        timeout_seconds: how long a reply is waited for.
        max_unanswered: after so many messages without an answer, one is let through every
            ``timeout_seconds``.
        clock: gives seconds that never go back.
    """

    def __init__(
        self,
        timeout_seconds: float,
        max_unanswered: int,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._timeout_seconds = timeout_seconds
        self._max_unanswered = max_unanswered
        self._clock = clock
        self._lock = threading.Lock()
        self._waiting: dict[str, Call] = {}
        self._unanswered: dict[str, int] = {}
        self._tried_at: dict[str, float] = {}

    def count(self, application: str) -> None:
        """Note that a message goes to an application.

        Raises:
            Refusal: ``application-unavailable``: it has not answered for long.
        """
        with self._lock:
            unanswered = self._unanswered.get(application, 0)
            now = self._clock()
            if unanswered >= self._max_unanswered:
                if now - self._tried_at[application] < self._timeout_seconds:
                    raise Refusal("application-unavailable")
            else:
                self._unanswered[application] = unanswered + 1
            self._tried_at[application] = now

    def begin(self, application: str) -> Call:
        """Make a call; `wait` has to follow. Raises what `count` raises."""
        self.count(application)
        call = Call()
        with self._lock:
            self._waiting[call.correlation_id] = call
        return call

    def wait(self, application: str, call: Call) -> bytes:
        """Wait for the reply of a call, and forget it.

        Raises:
            Refusal: ``application-timeout``.
        """
        try:
            call.wait(self._timeout_seconds)
        finally:
            self.forget(call)
        if call.body is None:
            raise Refusal("application-timeout")
        with self._lock:
            self._unanswered.pop(application, None)
        return call.body

    def forget(self, call: Call) -> None:
        """Let a call go that nobody waits for."""
        with self._lock:
            self._waiting.pop(call.correlation_id, None)

    def answer(self, correlation_id: str, body: bytes) -> bool:
        """Hand a reply to the call it belongs to; False when there is none any more."""
        with self._lock:
            call = self._waiting.pop(correlation_id, None)
        if call is None:
            return False
        call.answer(body)
        return True

    def give_up(self) -> None:
        """End all calls: the site stops."""
        with self._lock:
            waiting, self._waiting = list(self._waiting.values()), {}
        for call in waiting:
            call.answer(None)

    def silent(self) -> list[str]:
        """List the applications that are held to be away."""
        with self._lock:
            return [
                name for name, count in self._unanswered.items() if count >= self._max_unanswered
            ]
