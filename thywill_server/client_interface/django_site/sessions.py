"""Django's sessions in the database, found by one written query: ``SESSION_ENGINE`` of the site.

Every message of a page begins with its session. Django builds the query for it anew each time,
which takes five times as long as asking it. Here it is written out; the table, what is in it, and
everything but finding it are Django's. So a site may change from one engine to the other at any
time, and nobody is logged out.

Whether the site has ended a client is to be known for every message, too, and is asked with it.

What a session holds is signed. The signature of text that was seen lately is not worked out again.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Final

from django.conf import settings
from django.contrib.sessions.backends import db
from django.core import signing
from django.db import connections, router
from django.utils import timezone

MAX_KNOWN_SESSIONS: Final = 1024
"""So many texts with their signatures are remembered in each process."""

MAX_KNOWN_CHARACTERS: Final = 4096
"""A longer text is not."""


class SessionStore(db.SessionStore):
    """A session in the database."""

    _client_uuid: str | None = None
    _is_ended: bool | None = None

    def ask_too(self, client_uuid: str) -> None:
        """Ask of a client, with the session, whether the site has ended it.

        Once the session is known already, or for what cannot be a uuid, that has no effect.
        """
        if client_uuid.isascii() and client_uuid.isprintable():
            self._client_uuid = client_uuid

    def is_ended(self, client_uuid: str) -> bool | None:
        """Tell what was asked so; None when it was not, or of another client."""
        return self._is_ended if client_uuid == self._client_uuid else None

    def load(self) -> dict[str, Any]:
        """Give what the session holds; nothing, and no key any more, if it is unknown or over."""
        from thywill_server.database.clients import ended_query  # it has models

        alias = router.db_for_read(self.model)
        connection = connections[alias]
        table = connection.ops.quote_name(self.model._meta.db_table)
        now = connection.ops.adapt_datetimefield_value(timezone.now())
        asked, values = "session_data", [self.session_key, now]
        if self._client_uuid is not None and (query := ended_query(alias)) is not None:
            asked, values = f"session_data, ({query})", [self._client_uuid, *values]
        with connection.cursor() as cursor:
            cursor.execute(
                f"SELECT {asked} FROM {table}"  # noqa: S608
                " WHERE session_key = %s AND expire_date > %s",
                values,
            )
            row = cursor.fetchone()
        if row is None:
            self._session_key = None
            return {}
        if len(row) > 1:
            self._is_ended = row[1] is not None
        held: dict[str, Any] = self.decode(row[0])
        return held

    def decode(self, session_data: bytes | str) -> dict[str, Any]:
        """Read what a session holds; nothing if it was not signed here."""
        if isinstance(session_data, str) and len(session_data) <= MAX_KNOWN_CHARACTERS:
            secrets = settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS
            try:
                signed = _signed(session_data, self.key_salt, secrets)
                held: dict[str, Any] = self.serializer().loads(signed)
            except Exception:  # noqa: S110 - Django's own way finds out what is wrong, and says it
                pass
            else:
                return held
        return super().decode(session_data)


class _AsItIs:
    """What stands where a serializer is expected."""

    def dumps(self, data: bytes) -> bytes:
        """Give bytes back."""
        return data

    def loads(self, data: bytes) -> bytes:
        """Give bytes back."""
        return data


@lru_cache(maxsize=MAX_KNOWN_SESSIONS)
def _signed(text: str, salt: str, secrets: tuple[str | bytes, ...]) -> bytes:
    """Give what was signed, still serialized.

    Raises:
        signing.BadSignature: it was not signed with one of these keys.
    """
    secret, *fallbacks = secrets
    signed: bytes = signing.loads(
        text, key=secret, salt=salt, serializer=_AsItIs, fallback_keys=fallbacks
    )
    return signed
