"""Who is at the other end: one page load, in one browser session.

Nothing is stored for a page load. Its uuid comes with a *client token*, which is::

    APPLICATION ":" signature of (uuid, application, identity of the session)

and the identity is a random text in the Django session. So a uuid is good in the session it was
given to and nowhere else; it survives a log-in, which gives the session a new key, and it ends with
a log-out, which empties the session.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import uuid
from functools import lru_cache

from django.conf import settings
from django.http import HttpRequest
from django.utils.crypto import constant_time_compare

from thywill_server.client import Client
from thywill_server.client_interface.django_site.sessions import SessionStore
from thywill_server.errors import Refusal

IDENTITY_KEY = "thywill.identity"
SALT = "thywill.client"

MAX_KNOWN_CLAIMS = 1024
"""Of so many pages each process remembers the signature."""


def new_client(request: HttpRequest, application: str, transport: str | None) -> Client:
    """Give a page load its uuid, and its session an identity if it has none yet."""
    if IDENTITY_KEY not in request.session:
        request.session[IDENTITY_KEY] = secrets.token_urlsafe(16)
    if request.session.session_key is None:
        request.session.save()  # makes the key, which is the client's from the beginning
    return _client(request, str(uuid.uuid4()), application, transport)


def client_token(request: HttpRequest, client: Client) -> str:
    """Sign what a later request must show to be this client."""
    identity = request.session[IDENTITY_KEY]
    claim = _claim(client.uuid, client.application, identity)
    return f"{client.application}:{signature(claim, settings.SECRET_KEY)}"


def known_client(request: HttpRequest, client_uuid: str, token: str) -> Client:
    """Give the client that a request says it is.

    Raises:
        Refusal: ``unknown-client``: the token is forged, belongs to another uuid or another
            session, or the session has ended.
    """
    application, _, shown = token.rpartition(":")
    if isinstance(request.session, SessionStore):
        request.session.ask_too(client_uuid)
    identity = request.session.get(IDENTITY_KEY)
    if not isinstance(identity, str):
        raise Refusal("unknown-client")
    claim = _claim(client_uuid, application, identity)
    for secret in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS):
        if constant_time_compare(shown, signature(claim, secret)):
            return _client(request, client_uuid, application, None)
    raise Refusal("unknown-client")


def _client(
    request: HttpRequest, client_uuid: str, application: str, transport: str | None
) -> Client:
    return Client(
        uuid=client_uuid,
        session_key=request.session.session_key,
        user=getattr(request, "user", None),
        application=application,
        transport=transport,
        session_identity=request.session[IDENTITY_KEY],
    )


def is_ended(request: HttpRequest, client: Client) -> bool:
    """Tell whether the site has ended this client; after `known_client` that is known, mostly."""
    session = request.session
    told = session.is_ended(client.uuid) if isinstance(session, SessionStore) else None
    if told is not None:
        return told
    from thywill_server.database import clients  # it has models

    return clients.is_ended(client.uuid)


@lru_cache(maxsize=MAX_KNOWN_CLAIMS)
def signature(claim: str, secret: str | bytes) -> str:
    """Give what ``django.core.signing.Signer(key=secret, salt=SALT)`` signs a claim with.

    It is asked for every message of a page, and Django derives its key anew each time.
    """
    digest = hmac.digest(_derived_key(secret), claim.encode(), "sha256")
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


@lru_cache(maxsize=8)
def _derived_key(secret: str | bytes) -> bytes:
    plain = secret if isinstance(secret, bytes) else secret.encode()
    return hashlib.sha256(f"{SALT}signer".encode() + plain).digest()


def _claim(client_uuid: str, application: str, identity: str) -> str:
    # Lines, since none of the three can hold a line break that we made; a stranger's uuid might,
    # and moving text from one field to the next must not give the same claim.
    claim = f"{client_uuid}\n{application}\n{identity}"
    if claim.count("\n") == 2:
        return claim
    return "\n".join(part.replace("\n", "\\n") for part in (client_uuid, application, identity))
