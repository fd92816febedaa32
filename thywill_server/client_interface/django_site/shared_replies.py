"""What clients were answered lately, by any process: in one of Django's caches.

With several processes behind one address, a page that repeats a message may reach another one than
before. This memory is asked after the process's own, see ``recent_replies``: whoever adds a
message's key to the cache first handles it, and leaves the answer there.

The cache has to be one that all processes share: Redis, Memcached, or Django's database cache.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from typing import Final

from django.core.cache import BaseCache

from thywill_server.client_interface.django_site.recent_replies import Answer
from thywill_server.errors import Refusal

PENDING: Final = "pending"
LOOK_AGAIN_SECONDS: Final = 0.05


class SharedReplies:
    """Handles each message once in all processes, and answers it as often as it is sent.

    Args:
        cache: shared by all processes.
        keep_seconds: how long an answer is kept; a message that is never answered, because its
            process died, is handled anew after that.
        wait_seconds: how long a repetition waits while the first one is still being handled.
        clock: gives seconds that never go back.
        sleep: waits.
    """

    def __init__(
        self,
        cache: BaseCache,
        *,
        keep_seconds: float,
        wait_seconds: float,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._cache = cache
        self._keep_seconds = keep_seconds
        self._wait_seconds = wait_seconds
        self._clock = clock
        self._sleep = sleep

    def answer(self, client_uuid: str, message_id: str, handle: Callable[[], Answer]) -> Answer:
        """Give the answer to a message, calling ``handle`` if there is none yet.

        Raises:
            Refusal: ``still-handling``, when the first one takes too long.
            Exception: what ``handle`` raises; nothing is remembered then.
        """
        name = hashlib.sha256(f"{client_uuid}\n{message_id}".encode()).hexdigest()
        key = f"thywill.reply.{name}"
        end = self._clock() + self._wait_seconds
        while not self._cache.add(key, PENDING, self._keep_seconds):
            found = self._cache.get(key)
            if isinstance(found, (tuple, list)):
                return Answer(*found)
            if found == PENDING:
                if self._clock() >= end:
                    raise Refusal("still-handling")
                self._sleep(LOOK_AGAIN_SECONDS)
        return self._handled(key, handle)

    def _handled(self, key: str, handle: Callable[[], Answer]) -> Answer:
        answer: Answer | None = None
        try:
            answer = handle()
        finally:
            if answer is None or answer.may_retry:
                self._cache.delete(key)
            else:
                self._cache.set(key, (answer.status, answer.body), self._keep_seconds)
        return answer
