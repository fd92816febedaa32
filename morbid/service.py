"""From a configuration to a broker that runs: the one place where the parts are joined."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any, Final, TypeVar

from twisted.application.service import Service
from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.interfaces import IListeningPort
from twisted.python.failure import Failure

from morbid.config import DEFAULT_INTERFACE, Configuration, read_configuration
from morbid.errors import ConfigurationError
from morbid.mqsecurity import AcceptAll, Authenticator, Authorizer, Reviewer, Security
from morbid.policy import Policy
from morbid.server import StompFactory, new_broker

log = logging.getLogger(__name__)

T = TypeVar("T")

BACKLOG: Final = 1_024
"""Connections that the system may hold for us: many come at once after a restart."""


def get_stomp_factory(
    config: str | os.PathLike[str] | Mapping[str, str] | None = None, *, clock: Any = None
) -> StompFactory:
    """Build a broker.

    Args:
        config: a configuration file, or a mapping with the same options, or None for
            a broker that lets everybody in.
        clock: the reactor, unless a test has another one.

    Raises:
        ConfigurationError: something in it is wrong; one sentence says what and where.
    """
    return build_factory(read_configuration(config), clock=clock)


def build_factory(configuration: Configuration, *, clock: Any = None) -> StompFactory:
    """Build a broker from a configuration that was read."""
    policy = Policy(
        security=build_security(configuration),
        advisory_destination=configuration.text("advisory_destination"),
        control_destination=configuration.text("control_destination"),
        site_logins=configuration.site_logins(),
    )
    return StompFactory(new_broker(configuration.limits()), policy, clock)


def build_security(configuration: Configuration) -> Security:
    """Find the classes that the configuration names, and make them."""
    given = [
        name for name in ("authenticator", "password_file", "auth") if configuration.text(name)
    ]
    if len(given) > 1:
        raise configuration.error(given[1], f"{given[1]}: {given[0]} is set as well, expected one")
    authenticator: Authenticator = AcceptAll()
    authorizer: Authorizer | None = None
    if configuration.text("authenticator"):
        made = _make(configuration, "authenticator")
        authenticator, authorizer = made, made if hasattr(made, "authorize") else None
    elif configuration.text("password_file"):
        from morbid.passwords import PasswordFile

        authenticator = _read(configuration, "password_file", PasswordFile.read)
    elif configuration.text("auth"):
        from morbid.parms import load_parms

        authenticator, authorizer = _read(configuration, "auth", load_parms)
    if configuration.text("authorizer"):
        authorizer = _make(configuration, "authorizer")
    elif configuration.text("rights_file"):
        from morbid.rights import GroupRights

        authorizer = _read(configuration, "rights_file", GroupRights.read)
    return Security(authenticator, authorizer, _make_reviewer(configuration))


def _read(configuration: Configuration, option: str, read: Callable[[Path], T]) -> T:
    """Read the file that an option names; what is wrong also says where it is named."""
    try:
        return read(configuration.path(option))
    except ConfigurationError as error:
        raise configuration.error(option, str(error)) from error


def _make_reviewer(configuration: Configuration) -> Reviewer | None:
    url = configuration.text("restq")
    if not url:
        return None
    from morbid.restq import RestQ

    seconds = configuration.number("restq_seconds", 5, 0.01, 3_600)
    try:
        return RestQ(url, timeout_seconds=seconds)
    except ConfigurationError as error:
        raise configuration.error("restq", str(error)) from None


def _make(configuration: Configuration, option: str) -> Any:
    """Import the class that an option names, and make it with its own options."""
    path = configuration.text(option)
    module_name, _, class_name = path.rpartition(".")
    try:
        made = getattr(import_module(module_name), class_name)
    except (ImportError, AttributeError, ValueError) as error:
        raise configuration.error(option, f"{option}: cannot import {path!r} ({error})") from error
    options = configuration.group(f"{option}.")
    try:
        if hasattr(made, "from_options"):
            return made.from_options(options, configuration.directory)
        return made()
    except Exception as error:  # Its own errors are whatever it likes.
        raise configuration.error(option, f"{option}: {path} says: {error}") from error


class StompService(Service):
    """Listens while it runs; stopping it drains the broker.

    Attributes:
        port: the TCP port, once started (useful with port 0).
    """

    def __init__(self, configuration: Configuration, reactor: Any = None) -> None:
        if reactor is None:
            from twisted.internet import reactor as default_reactor

            reactor = default_reactor
        self._reactor = reactor
        self._configuration = configuration
        self._listening: IListeningPort | None = None
        self.factory = build_factory(configuration, clock=reactor)

    @property
    def port(self) -> int:
        """Where clients connect to."""
        assert self._listening is not None, "the service is not running"
        return int(getattr(self._listening.getHost(), "port", 0))

    def startService(self) -> None:
        """Listen. Raises ``twisted.internet.error.CannotListenError``."""
        self._listening = self._reactor.listenTCP(
            self._configuration.port(),
            self.factory,
            backlog=BACKLOG,
            interface=self._configuration.text("interface", DEFAULT_INTERFACE),
        )
        Service.startService(self)  # type: ignore[no-untyped-call]
        log.info("STOMP on port %d", self.port)

    def stopService(self) -> Deferred[None]:
        """Listen no more, and end all connections; fires when they are gone."""
        Service.stopService(self)  # type: ignore[no-untyped-call]
        listening, self._listening = self._listening, None
        if listening is None:
            return self.factory.shutdown()

        def drain(result: object) -> Deferred[None]:
            if isinstance(result, Failure):
                log.error("closing the port failed: %s", result.getErrorMessage())
            return self.factory.shutdown()

        return maybeDeferred(listening.stopListening).addBoth(drain)
