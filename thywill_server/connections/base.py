"""What a push component tells the site about connections.

A broker that reports them has a name, which is greater than that of the one before it, numbers its
connections, and numbers its reports. So reports can be read in any order, by any process::

    Report("connected", broker="18a3...", sequence=7, login=Login("uuid", connection=4))
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from thywill_server.client import Client

__all__ = [
    "Done",
    "Login",
    "Report",
    "ReportKind",
    "Reporting",
    "about",
    "claim_of",
    "session_claim",
]

ReportKind = Literal["connected", "disconnected", "subscribed", "unsubscribed", "logins"]

Done = Callable[[], None]
"""Called once a report was followed; if this process ends before, it is told to another."""


@dataclass(frozen=True, slots=True)
class Login:
    """One connection of one client.

    Attributes:
        client_uuid: whose.
        connection: its number at the broker; a later one has a greater number.
        session: the claim of the browser session, from `session_claim`.
        about: what the client's ticket says besides: ``application`` and ``user``.
        destinations: what it is subscribed to; only where all logins are told.
    """

    client_uuid: str
    connection: int
    session: str = ""
    about: Mapping[str, str] = field(default_factory=dict)
    destinations: tuple[str, ...] = ()

    @property
    def application(self) -> str:
        """The name of the application that the page shows."""
        return self.about.get("application", "")

    @property
    def user(self) -> str:
        """The primary key of the user as text; empty for a visitor without a name."""
        return self.about.get("user", "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """Something that has happened to a connection, or all connections of a stretch of uuids.

    Attributes:
        kind: what has happened; ``logins`` tells who is there.
        broker: who reports.
        sequence: its number among the reports of this broker.
        login: the connection; None with ``logins``.
        destination: with ``subscribed`` and ``unsubscribed``.
        logins: everybody whose uuid is greater than ``after`` and not greater than ``until``;
            None is no bound.
        next_connection: connections with a number from this on came after the report.
    """

    kind: ReportKind
    broker: str
    sequence: int
    login: Login | None = None
    destination: str = ""
    logins: tuple[Login, ...] = ()
    after: str | None = None
    until: str | None = None
    next_connection: int = 0


Reporting = Callable[[Report, Done], None]
"""Takes a report, in any thread, and returns at once."""


def session_claim(session_identity: str) -> str:
    """Turn the identity of a web session into what tickets and tables hold in its place."""
    return hashlib.sha256(b"thywill session " + session_identity.encode()).hexdigest()[:32]


def claim_of(client: Client) -> str:
    """Give the claim of a client's session."""
    return session_claim(client.session_identity or client.session_key or "")


def about(client: Client) -> dict[str, str]:
    """Give what a client's ticket says of it, and its broker reports: application and user."""
    told = {"application": client.application}
    if client.is_authenticated:
        told["user"] = str(client.user.pk)
    return told
