"""Clients and users, from what the tables hold of them."""

from __future__ import annotations

import hashlib
from typing import Any

from thywill_server.client import Client
from thywill_server.connections.base import Login, about, claim_of

USER, VISITOR = "user:", "visitor:"


def login_of(client: Client) -> Login:
    """Give what is noted of a client, from a request of it."""
    return Login(client.uuid, 0, claim_of(client), about(client))


def client_of(uuid: str, application: str, user: str) -> Client:
    """Give a client that makes no request.

    Its user is read now: an ``async`` function that looks at it later could not wait for it.
    """
    found = users({user}).get(user) or _anonymous()
    return Client(uuid=uuid, session_key=None, user=found, application=application)


def users(keys: set[str]) -> dict[str, Any]:
    """Give users by their primary keys as text; those that are gone are missing."""
    from django.apps import apps

    wanted = {key for key in keys if key}
    if not wanted or not apps.is_installed("django.contrib.auth"):
        return {}
    from django.contrib.auth import get_user_model

    found = get_user_model()._default_manager.filter(pk__in=wanted)
    return {str(user.pk): user for user in found}


def identity_of(client: Client, place: str) -> str:
    """Give what a client is in a channel: its user, or its browser session, unrecognizable.

    Args:
        client: who.
        place: the channel's destination: a visitor has another name in each.
    """
    if client.is_authenticated:
        return f"{USER}{client.user.pk}"
    text = f"thywill visitor\n{place}\n{claim_of(client)}"
    return VISITOR + hashlib.sha256(text.encode()).hexdigest()[:16]


def card_of(identity: str) -> dict[str, str | None]:
    """Give what a page may know of an identity: itself, and the user's name if it has one."""
    name = None
    if identity.startswith(USER):
        key = identity.removeprefix(USER)
        user = users({key}).get(key)
        name = user.get_username() if user is not None else None
    return {"identity": identity, "name": name}


def _anonymous() -> Any:
    from django.contrib.auth.models import AnonymousUser

    return AnonymousUser()
