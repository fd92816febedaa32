"""Logins by ``twisted.cred``: any ``Portal`` can be the authenticator.

::

    portal = Portal(Realm(groups_of), [checker])
    policy = Policy(Security(PortalAuthenticator(portal)))
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from twisted.cred.checkers import ANONYMOUS
from twisted.cred.credentials import UsernamePassword
from twisted.cred.error import UnauthorizedLogin, UnhandledCredentials
from twisted.cred.portal import IRealm, Portal
from twisted.internet.defer import Deferred
from twisted.python.failure import Failure
from zope.interface import Attribute, Interface, implementer


class IStompUser(Interface):
    """What the realm makes of a login."""

    user_name = Attribute("who it is, str")
    groups = Attribute("the groups it belongs to, an iterable of str")


@implementer(IStompUser)
@dataclass(slots=True)
class StompUser:
    """A user of the broker; also the identity of its connection."""

    user_name: str
    groups: tuple[str, ...]
    logout: Callable[[], None] = field(default=lambda: None)

    @property
    def name(self) -> str:
        """The same as ``user_name``."""
        return self.user_name


@implementer(IRealm)
class Realm:
    """Makes users, with the groups that a function says they have."""

    def __init__(self, groups_of: Callable[[str], Iterable[str]] = lambda name: (name,)) -> None:
        self._groups_of = groups_of

    def requestAvatar(
        self, avatarId: bytes | tuple[()], mind: object, *interfaces: Any
    ) -> tuple[type[Interface], object, Callable[[], None]]:
        """Twisted: the user of this id."""
        if IStompUser not in interfaces:
            raise NotImplementedError("this realm has IStompUser only")
        name = "" if avatarId == ANONYMOUS else bytes(avatarId).decode("utf-8", "surrogateescape")
        user = StompUser(name, tuple(self._groups_of(name)))
        return IStompUser, user, user.logout


class PortalAuthenticator:
    """An authenticator that asks a portal for an ``IStompUser``."""

    def __init__(self, portal: Portal) -> None:
        self._portal = portal

    def authenticate(self, login: str, passcode: str, peer: str) -> Deferred[Any]:
        """Log in; the identity is the user, logged out when the connection ends."""
        credentials = UsernamePassword(
            login.encode("utf-8", "surrogateescape"), passcode.encode("utf-8", "surrogateescape")
        )
        answer: Deferred[Any] = self._portal.login(credentials, None, IStompUser)
        return answer.addCallbacks(_identity, _refused)


def _identity(answer: tuple[Any, Any, Callable[[], None]]) -> StompUser:
    _, user, logout = answer
    return StompUser(user.user_name, tuple(user.groups), logout)


def _refused(failure: Failure) -> None:
    if not isinstance(failure.value, (UnauthorizedLogin, UnhandledCredentials)):
        failure.raiseException()
