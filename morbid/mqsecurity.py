"""Who may come in, and who may do what: the contracts, and the open door.

A site names its own classes in the configuration, by dotted path. A complete one::

    class Doorkeeper:
        def authenticate(self, login, passcode, peer):
            return Identity(login) if passcode == SECRETS.get(login) else None

        def authorize(self, identity, operation, destination, headers):
            return operation == "subscribe" and destination == f"/topic/{identity.name}"

Ready ones are in ``morbid.passwords`` (a file with hashed passwords), ``morbid.rights``
(groups and what they may do), ``morbid.portal`` (``twisted.cred``, and the security
modules of MorbidQ 0.8) and ``morbid.restq`` (HTTP callbacks).

Every method may return a Deferred instead of its answer; frames that arrive in the
meantime wait, in order. One that raises, or fails, has refused.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

Operation = Literal["create", "subscribe", "send"]
"""``create`` is asked before the other two when the destination does not exist yet."""


class Named(Protocol):
    """The least that an identity has to have.

    It may also have ``expires_at`` (seconds since the epoch, or None): the connection is
    ended when that has passed. It is read at login and again after each ``authorize``, so an
    authorizer may prolong it. ``subscriptions_end_at`` (destinations, and seconds since the epoch):
    a subscription to one of these gets nothing more when its time has passed, and goes on when an
    authorizer has moved it; read at the same moments. ``session`` (str or None): a claim by which
    the site can end all connections that carry it. ``may_send_anywhere`` (bool): the authorizer
    would allow each ``send`` and ``create`` of it, and is not asked about a plain SEND.
    ``logout()``: called when the connection has ended.
    """

    @property
    def name(self) -> str:
        """Who it is; what ``disconnect(login=...)`` compares with."""


@dataclass(slots=True)
class Identity:
    """Somebody who was let in."""

    name: str
    groups: tuple[str, ...] = ()
    expires_at: float | None = None
    session: str | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a reviewer has decided about one frame.

    Attributes:
        is_allowed: False refuses it.
        body: takes the place of the body of a SEND, when not None.
        subscribe: destinations to subscribe the connection to, unasked.
        unsubscribe: destinations to unsubscribe it from.
    """

    is_allowed: bool = True
    body: bytes | None = None
    subscribe: tuple[str, ...] = ()
    unsubscribe: tuple[str, ...] = ()


class Pending(Protocol):
    """An answer that comes later; a Deferred."""

    def addCallbacks(self, callback: Any, errback: Any) -> Any:
        """Call one of the two, once."""


class Authenticator(Protocol):
    """Decides who comes in."""

    def authenticate(self, login: str, passcode: str, peer: str) -> Named | Pending | None:
        """Say who this is, or None when nobody we know.

        Args:
            login: header of CONNECT; empty when there was none.
            passcode: likewise.
            peer: address of the connection, for logs and limits.
        """


class Authorizer(Protocol):
    """Decides what they may do."""

    def authorize(
        self, identity: Any, operation: Operation, destination: str, headers: Mapping[str, str]
    ) -> bool | Pending:
        """Say whether ``identity``, as ``authenticate`` returned it, may do this.

        Args:
            identity: who.
            operation: what.
            destination: where.
            headers: of the SUBSCRIBE or SEND frame.
        """


class Reviewer(Protocol):
    """Sees whole frames, after the other two have agreed (see ``morbid.restq``)."""

    def review(
        self, event: str, subject: Mapping[str, str], body: bytes | None
    ) -> Verdict | Pending:
        """Decide about a connect, subscribe or send.

        Args:
            event: which.
            subject: the frame's headers and ``username``; for connect ``username``
                and ``password``.
            body: of a SEND.
        """

    def notify(self, event: str, subject: Mapping[str, str]) -> None:
        """Hear of an unsubscribe or disconnect."""


class AcceptAll:
    """Lets everybody in, under the name they give. The default, for trusted networks."""

    def authenticate(self, login: str, passcode: str, peer: str) -> Identity:
        """Let them in."""
        name = sys.intern(login)  # that of very many, perhaps
        return Identity(name, groups=(name,))


@dataclass(frozen=True, slots=True)
class Security:
    """What is asked about each connection.

    Attributes:
        authenticator: asked at login.
        authorizer: asked for each SUBSCRIBE and SEND; None allows everything to
            whoever was let in.
        reviewer: asked last; None for none.
    """

    authenticator: Authenticator = field(default_factory=AcceptAll)
    authorizer: Authorizer | None = None
    reviewer: Reviewer | None = None
