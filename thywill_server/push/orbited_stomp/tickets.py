"""Tickets: what a browser shows the broker instead of a password.

A ticket is a JSON Web Token signed with HS256. Its claims:

=============  ================================================================================
``aud``        always ``thywill-push``
``sub``        who it is for: the client's uuid, or ``site``; the STOMP login must be equal
``role``       ``client``: may subscribe to what the ticket names and send nowhere;
               ``site``: this site's own connection, may do everything
``session``    a hash of the session the page belongs to, so that a log-out can end its pushes
``subscribe``  list of destinations, compared letter by letter
``about``      what the broker tells the site besides: application and user; may be missing
``iat, exp``   when it was given and when it ends, seconds since the epoch
=============  ================================================================================

The broker (morbid, by dotted path) asks `TicketAuthenticator`. A live connection is prolonged by a
SUBSCRIBE to the client's renewal destination with a new ticket in the header ``ticket``; from then
on it may also subscribe to what that ticket names. A channel has a ticket of its own, shown in the
same header of the SUBSCRIBE to it, and a later one at the renewal destination: it prolongs the
subscription, not the connection. A subscription gets nothing more when the last ticket that names
its destination has ended.

This module needs neither Django nor Twisted: a broker on another machine can import it.
"""

import logging
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Self, get_args

from thywill_server.connections.base import session_claim
from thywill_server.errors import ConfigurationError
from thywill_server.push.orbited_stomp.ticket_key import default_key_file, load_ticket_key

__all__ = [
    "Ticket",
    "TicketAuthenticator",
    "TicketError",
    "TicketIdentity",
    "issue_ticket",
    "read_ticket",
    "renewal_destination",
    "session_claim",
]

log = logging.getLogger(__name__)

ALGORITHM = "HS256"
AUDIENCE = "thywill-push"
REQUIRED_CLAIMS = ("exp", "iat", "aud", "sub", "role", "session", "subscribe")
LEEWAY_SECONDS = 5
"""How far the clocks of the two sides may differ."""
KEPT_SECONDS = 60
"""How long it is remembered that the time of a destination is over."""
MAX_TICKET_CHARACTERS = 8192
SITE_SUBJECT = "site"
RENEWAL_PREFIX = "/topic/thywill.renew."

Role = Literal["client", "site"]
Operation = Literal["create", "subscribe", "send"]


class TicketError(Exception):
    """A ticket is forged, expired or not a ticket; the text says which and may be logged."""


@dataclass(frozen=True, slots=True)
class Ticket:
    """What a valid ticket says."""

    subject: str
    role: Role
    session: str
    subscribe: frozenset[str]
    expires_at: float
    """Seconds since the epoch."""
    about: Mapping[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class TicketIdentity:
    """Who a broker connection belongs to, for as long as it lives."""

    name: str
    role: Role
    session: str
    own: frozenset[str]
    """What the ticket of CONNECT names; another one that names some of it prolongs all."""
    subscriptions_end_at: dict[str, float]
    """Until when it may listen to what, in seconds since the epoch; moved by renewals."""
    expires_at: float | None
    """The same for the connection; None: it may stay."""
    about: Mapping[str, str] = field(default_factory=dict)
    """Of the last ticket; the broker's advisories hold it."""

    @property
    def may_send_anywhere(self) -> bool:
        """Whether `TicketAuthenticator.authorize` lets it send whatever it wants to."""
        return self.role == "site"


def renewal_destination(client_uuid: str) -> str:
    """Return the destination a client subscribes to when it shows a new ticket."""
    return RENEWAL_PREFIX + client_uuid


def issue_ticket(
    key: bytes,
    *,
    subject: str,
    role: Role = "client",
    session: str = "",
    subscribe: Sequence[str] = (),
    about: Mapping[str, str] | None = None,
    seconds: float,
    now: float | None = None,
) -> str:
    """Sign a ticket.

    Args:
        key: from `load_ticket_key`.
        subject: the client's uuid; it becomes the STOMP login.
        role: what the bearer may do.
        session: from `session_claim`.
        subscribe: the destinations a client may subscribe to.
        about: what the broker tells of it besides.
        seconds: how long it is valid.
        now: seconds since the epoch; the current time when left out.
    """
    issued_at = int(time.time() if now is None else now)
    claims = {
        "aud": AUDIENCE,
        "sub": subject,
        "role": role,
        "session": session,
        "subscribe": list(subscribe),
        "iat": issued_at,
        "exp": issued_at + int(seconds),
    }
    if about:
        claims["about"] = dict(about)
    import jwt  # takes as long as Django's models: not for commands that read no ticket

    return jwt.encode(claims, key, algorithm=ALGORITHM)


def read_ticket(key: bytes, text: str, *, leeway_seconds: float = LEEWAY_SECONDS) -> Ticket:
    """Check a ticket and return what it says.

    Raises:
        TicketError: it is not a ticket of ours, or its time is over.
    """
    if len(text) > MAX_TICKET_CHARACTERS or not text.isascii():
        raise TicketError("not a ticket")
    import jwt

    try:
        claims = jwt.decode(
            text,
            key,
            algorithms=[ALGORITHM],  # Pinned: the token's own header has no say.
            audience=AUDIENCE,
            leeway=leeway_seconds,
            options={"require": list(REQUIRED_CLAIMS)},
        )
    except jwt.ExpiredSignatureError:
        raise TicketError("expired") from None
    except jwt.InvalidTokenError as error:
        raise TicketError(f"not valid: {error}") from None
    return _ticket(claims)


def _ticket(claims: Mapping[str, Any]) -> Ticket:
    role, session, subscribe = claims["role"], claims["session"], claims["subscribe"]
    if (
        role not in get_args(Role)
        or not isinstance(session, str)
        or not isinstance(subscribe, list)
        or not all(isinstance(destination, str) for destination in subscribe)
    ):
        raise TicketError("not valid: a claim has the wrong form")
    about = claims.get("about", {})
    if not isinstance(about, dict) or not all(isinstance(value, str) for value in about.values()):
        raise TicketError("not valid: about has the wrong form")
    return Ticket(claims["sub"], role, session, frozenset(subscribe), float(claims["exp"]), about)


class TicketAuthenticator:
    """Authenticator and authorizer of a broker that knows people by their tickets.

    In ``morbid.cfg``::

        authenticator=thywill_server.push.orbited_stomp.tickets.TicketAuthenticator
        authenticator.key_file=.thywill/ticket.key
    """

    def __init__(self, key: bytes, leeway_seconds: float = LEEWAY_SECONDS) -> None:
        self._key = key
        self._leeway_seconds = leeway_seconds

    @classmethod
    def from_options(cls, options: Mapping[str, str], directory: Path) -> Self:
        """Build one from a broker's configuration.

        Args:
            options: ``key_file`` (relative to the folder of the configuration) and
                ``leeway_seconds``; both may be left out.
            directory: the folder of the configuration.
        """
        unknown = set(options) - {"key_file", "leeway_seconds"}
        if unknown:
            raise ConfigurationError(
                f"authenticator.{min(unknown)}: unknown; expected key_file or leeway_seconds"
            )
        given = options.get("leeway_seconds", str(LEEWAY_SECONDS))
        if not given.isdecimal():
            raise ConfigurationError(
                f"authenticator.leeway_seconds: expected a whole number, got {given!r}"
            )
        named = options.get("key_file")
        path = directory / named if named else default_key_file(directory)
        return cls(load_ticket_key(path), leeway_seconds=int(given))

    def authenticate(self, login: str, passcode: str, peer: str) -> TicketIdentity | None:
        """Return who shows this ticket, or None when it is refused."""
        ticket = self._read(passcode, peer)
        if ticket is None:
            return None
        if login != ticket.subject:
            log.warning("%s shows a ticket that is not its own", peer)
            return None
        return TicketIdentity(
            name=ticket.subject,
            role=ticket.role,
            session=ticket.session,
            own=ticket.subscribe,
            subscriptions_end_at=dict.fromkeys(ticket.subscribe, ticket.expires_at),
            # The site proves itself anew for each connection, with a ticket made on the spot.
            expires_at=ticket.expires_at if ticket.role == "client" else None,
            about=ticket.about,
        )

    def authorize(
        self,
        identity: TicketIdentity,
        operation: Operation,
        destination: str,
        headers: Mapping[str, str],
    ) -> bool:
        """Decide whether a connection may do this; a ticket that is shown moves ends on success."""
        if identity.role == "site":
            return True
        if operation not in ("create", "subscribe"):
            return False
        ticket = self._shown(identity, headers)
        if destination == renewal_destination(identity.name):
            return ticket is not None and _renew(identity, ticket)
        if ticket is not None and destination in ticket.subscribe:
            _prolong(identity, [destination], ticket.expires_at)
            return True
        return identity.subscriptions_end_at.get(destination, 0.0) > time.time()

    def _shown(self, identity: TicketIdentity, headers: Mapping[str, str]) -> Ticket | None:
        """Read the ticket in a frame's headers, if it is one of this client in this session."""
        text = headers.get("ticket")
        if text is None:
            return None
        ticket = self._read(text, f"client {identity.name}")
        if (
            ticket is None
            or (ticket.subject, ticket.role) != (identity.name, "client")
            or ticket.session != identity.session
        ):
            return None
        return ticket

    def _read(self, text: str, bearer: str) -> Ticket | None:
        try:
            return read_ticket(self._key, text, leeway_seconds=self._leeway_seconds)
        except TicketError as error:
            log.info("the ticket of %s is refused: %s", bearer, error)
            return None


def _renew(identity: TicketIdentity, ticket: Ticket) -> bool:
    if ticket.subscribe & identity.own:
        identity.expires_at = max(identity.expires_at or 0.0, ticket.expires_at)
        identity.about = ticket.about
    _prolong(identity, ticket.subscribe, ticket.expires_at)
    return True


def _prolong(identity: TicketIdentity, destinations: Iterable[str], expires_at: float) -> None:
    ends = identity.subscriptions_end_at
    for destination in destinations:
        ends[destination] = max(ends.get(destination, 0.0), expires_at)
    # The broker has long done what follows from these, and need not be told for ever.
    for destination in [name for name, end in ends.items() if end < time.time() - KEPT_SECONDS]:
        del ends[destination]
