"""Log-outs and deleted sessions end the connections of their pages.

Django says ``user_logged_out`` while the session is still there. A session that is flushed or
deleted without that, or expired and cleared, is noticed where sessions are rows of the database:
its row goes. When a log-in gives a session another key, the row goes too, but another one with the
same identity has been made just before; then nothing has ended.
"""

from __future__ import annotations

import logging
import threading
from typing import Any, Final

from django.apps import apps
from django.db.models.signals import post_delete, post_save

from thywill_server.connections.base import session_claim

log = logging.getLogger(__name__)

IDENTITY_KEY: Final = "thywill.identity"
"""Where the session keeps what clients are bound to; see ``django_site.identity``."""

_made = threading.local()


def watch() -> None:
    """Begin to notice; every call after the first changes nothing."""
    if apps.is_installed("django.contrib.auth"):
        from django.contrib.auth.signals import user_logged_out

        user_logged_out.connect(_on_log_out, dispatch_uid="thywill.connections")
    if apps.is_installed("django.contrib.sessions"):
        from django.contrib.sessions.models import Session

        post_save.connect(_on_made, sender=Session, dispatch_uid="thywill.connections")
        post_delete.connect(_on_deleted, sender=Session, dispatch_uid="thywill.connections")


def _on_log_out(request: Any = None, **_: Any) -> None:
    session = getattr(request, "session", None)
    identity = None if session is None else session.get(IDENTITY_KEY)
    if isinstance(identity, str):
        _end(identity)


def _on_made(instance: Any, created: bool = False, **_: Any) -> None:
    if created:
        _made.key, _made.identity = instance.session_key, _identity(instance)


def _on_deleted(instance: Any, **_: Any) -> None:
    identity = _identity(instance)
    if identity is None:
        return
    has_moved = identity == getattr(_made, "identity", None) and instance.session_key != _made.key
    if not has_moved:
        _end(identity, only_if_connected=True)


def _identity(session: Any) -> str | None:
    identity = session.get_decoded().get(IDENTITY_KEY)
    return identity if isinstance(identity, str) else None


def _has_clients(identity: str) -> bool:
    """Most sessions that are cleared have none, and need no word to the broker."""
    from thywill_server.database.client_models import ConnectedClient

    claim = session_claim(identity)
    return ConnectedClient.objects.filter(session=claim, is_connected=True).exists()


def _end(identity: str, only_if_connected: bool = False) -> None:
    from thywill_server.application.ending import end

    try:
        if not only_if_connected or _has_clients(identity):
            end(session=session_claim(identity))
    except Exception:
        # Nobody's log-out fails for this; its pages are refused at their next request anyway.
        log.exception("the connections of a session that is over could not be ended")
