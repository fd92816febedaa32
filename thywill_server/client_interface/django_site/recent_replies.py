"""What clients were answered lately.

A page whose POST got no answer cannot know whether the message was handled, so it sends it again
with the same id. This memory answers such a repetition with the first answer. It belongs to one
process and is bounded; ``shared_replies`` is one for several processes.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from thywill_server.errors import Refusal

KEPT_PER_CLIENT = 4
"""A page has one message under way at a time, so the last one is what it may repeat."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer to one message, as it goes to the browser.

    Attributes:
        status: of HTTP.
        body: JSON.
        may_retry: whether the page may send the message again, to have it handled anew.
        retry_after_seconds: for the header ``Retry-After``.
    """

    status: int
    body: bytes
    may_retry: bool = False
    retry_after_seconds: int | None = None


@dataclass(slots=True)
class _Entry:
    answer: Answer | None = None
    is_done: bool = False
    waiting: threading.Event | None = None  # of those who repeat it meanwhile, if there are any
    bytes_counted: int = 0


class RecentReplies:
    """Handles each message once, and answers it as often as it is sent.

    Args:
        max_clients: the client that was not heard of for longest is forgotten beyond it.
        max_bytes: the same, counting the answers' bodies.
        wait_seconds: how long a repetition waits while the first one is still being handled.
    """

    def __init__(self, *, max_clients: int, max_bytes: int, wait_seconds: float) -> None:
        self._max_clients = max_clients
        self._max_bytes = max_bytes
        self._wait_seconds = wait_seconds
        self._lock = threading.Lock()
        self._clients: OrderedDict[str, OrderedDict[str, _Entry]] = OrderedDict()
        self._bytes = 0

    def answer(
        self, client_uuid: str, message_id: str | None, handle: Callable[[], Answer]
    ) -> Answer:
        """Give the answer to a message, calling ``handle`` if there is none yet.

        Called in any thread. A message without an id is always handled.

        Raises:
            Refusal: ``still-handling``, when the first one takes too long.
            Exception: what ``handle`` raises; nothing is remembered then.
        """
        if message_id is None:
            return handle()
        entry, is_first = self._entry(client_uuid, message_id)
        if is_first:
            try:
                entry.answer = handle()
            finally:
                self._finish(client_uuid, message_id, entry)
            return entry.answer
        if not self._wait(entry):
            raise Refusal("still-handling")
        if entry.answer is None or entry.answer.may_retry:
            return self.answer(client_uuid, message_id, handle)
        return entry.answer

    @property
    def bytes_kept(self) -> int:
        """How large the bodies are that are kept at the moment."""
        return self._bytes

    def __len__(self) -> int:
        return len(self._clients)

    def _wait(self, entry: _Entry) -> bool:
        with self._lock:
            if entry.is_done:
                return True
            if entry.waiting is None:
                entry.waiting = threading.Event()
        return entry.waiting.wait(self._wait_seconds)

    def _entry(self, client_uuid: str, message_id: str) -> tuple[_Entry, bool]:
        with self._lock:
            entries = self._clients.setdefault(client_uuid, OrderedDict())
            self._clients.move_to_end(client_uuid)
            if message_id in entries:
                return entries[message_id], False
            entry = entries[message_id] = _Entry()
            while len(entries) > KEPT_PER_CLIENT:
                self._bytes -= entries.popitem(last=False)[1].bytes_counted
            while len(self._clients) > self._max_clients:
                self._forget_oldest()
            return entry, True

    def _finish(self, client_uuid: str, message_id: str, entry: _Entry) -> None:
        with self._lock:
            entries = self._clients.get(client_uuid, OrderedDict())
            if entries.get(message_id) is entry:
                if entry.answer is None or entry.answer.may_retry:
                    del entries[message_id]
                else:
                    entry.bytes_counted = len(entry.answer.body)
                    self._bytes += entry.bytes_counted
            while self._bytes > self._max_bytes and self._clients:
                self._forget_oldest()
            entry.is_done = True
            if entry.waiting is not None:
                entry.waiting.set()

    def _forget_oldest(self) -> None:
        _, entries = self._clients.popitem(last=False)
        self._bytes -= sum(entry.bytes_counted for entry in entries.values())
