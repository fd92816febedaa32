"""Under DEBUG: what went wrong lately, with tracebacks, for the overlay of the author's own pages.

Kept in this process only, by browser session: whoever looks at a page sees what that very browser
has caused. What fails outside of requests, when a page comes or goes, is kept by the page.
"""

from __future__ import annotations

import threading
import time
import traceback
from collections import OrderedDict, deque
from operator import itemgetter
from typing import Final

from thywill_server.encoding import Json
from thywill_server.errors import Refusal

MAX_SESSIONS: Final = 50
"""The session that was unheard of for longest is forgotten beyond that."""

MAX_ERRORS: Final = 20
"""Of each session; the oldest goes."""

MAX_TRACEBACK_CHARACTERS: Final = 20_000
"""The end of a traceback is kept: that is where the mistake is."""


class RecentErrors:
    """Remembers errors; from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._sessions: OrderedDict[str, deque[dict[str, Json]]] = OrderedDict()

    def note(self, session: str | None, what: str, error: BaseException) -> None:
        """Remember an error that was just caught.

        Args:
            session: the client's `session_identity`; or its uuid.
            what: what was being done.
            error: a refusal, or a mistake in a program.
        """
        if session is None:
            return
        lines = "".join(traceback.format_exception(error))
        noted: dict[str, Json] = {
            "at": time.time(),
            "what": what,
            "code": error.code if isinstance(error, Refusal) else type(error).__name__,
            "sentence": str(error),
            "is_refusal": isinstance(error, Refusal),
            "traceback": lines[-MAX_TRACEBACK_CHARACTERS:],
        }
        with self._lock:
            self._sessions.setdefault(session, deque(maxlen=MAX_ERRORS)).append(noted)
            self._sessions.move_to_end(session)
            while len(self._sessions) > MAX_SESSIONS:
                self._sessions.popitem(last=False)

    def of(self, *sessions: str | None) -> list[dict[str, Json]]:
        """Give the errors of a session, and of a page, the newest first."""
        with self._lock:
            found = [
                error for each in sessions for error in reversed(self._sessions.get(each or "", ()))
            ]
        return sorted(found, key=itemgetter("at"), reverse=True)
