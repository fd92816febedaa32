"""The site ends connections: of one client, of a user, of a session that is over.

First the rows say that the clients are unwanted; once that is committed, the push component is told
to end their connections. A page that hears it is closed, and has to be loaded again.
"""

from __future__ import annotations

from typing import Any

from thywill_server.application.outbox import in_transaction, when_committed
from thywill_server.application.publishing import push_of_site
from thywill_server.client import Client


def disconnect(client: Client | str | None = None, *, user: Any = None) -> None:
    """End the connections of one client, or of every page of a user, within a second.

    Works anywhere: in a handler, a view, a shell, a task queue. Inside a database transaction it
    waits for the commit. The pages hear the state ``closed`` and the code ``disconnected``; what
    they send from then on is refused with the same code, until they are loaded again.

    Args:
        client: a client, or its uuid.
        user: a user of Django, or its primary key.

    Raises:
        TypeError: neither is given, or both are.
        ValueError: the user is anonymous, or not saved yet.
        PushUnavailable: the push queue is full.
    """
    if (client is None) == (user is None):
        raise TypeError("disconnect: expected a client or user=, one of them")
    if client is not None:
        end(uuid=client.uuid if isinstance(client, Client) else client)
        return
    key = getattr(user, "pk", user)
    if key is None:
        raise ValueError(f"disconnect: expected a user with a primary key, got {user!r}")
    end(user=str(key))


def end(*, uuid: str = "", session: str = "", user: str = "") -> None:
    """End clients: one, those with a session claim, or those of a user by its primary key."""
    push = push_of_site()

    def mark() -> None:
        from django.utils import timezone

        from thywill_server.apps import notice_departures
        from thywill_server.database import clients

        uuids = clients.end(timezone.now(), uuid=uuid, session=session, user=user)
        if uuid and uuid not in uuids:
            uuids.append(uuid)  # again: the first time may not have reached the broker

        def take_effect() -> None:
            push.disconnect(uuids, session)
            notice_departures()

        when_committed(take_effect)

    in_transaction(mark)
