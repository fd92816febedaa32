"""thywill as a Django app, and the components of this process.

The components are built at the first use, from ``settings.THYWILL``, and live as long as the
process, with three exceptions: ``override_settings`` on ``THYWILL`` stops them and builds others,
`stop_components` ends them, and a forked child begins with none, since it has none of its parent's
threads and must not use its connections. Nor does it use its parent's connections to the database.
"""

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from django.apps import AppConfig, apps

if TYPE_CHECKING:
    from django.db.utils import ConnectionHandler

    from thywill_server.components import Components
    from thywill_server.connections.service import ConnectionService


class ProcessComponents:
    """One process's components: built once, started once, by whichever thread comes first.

    A process that serves requests also follows the connections of clients.

    Args:
        build: makes the components; what it raises reaches every caller.
        follow: makes what follows the connections, of started components, and starts it.
    """

    _lock: threading.RLock
    _current: Components | None
    _is_started: bool
    _is_serving: bool
    _follower: ConnectionService | None

    def __init__(
        self,
        build: Callable[[], Components],
        follow: Callable[[Components], ConnectionService] | None = None,
    ) -> None:
        self._build, self._follow = build, follow
        self._forget()
        reference = weakref.ref(self)
        if hasattr(os, "register_at_fork"):  # not on Windows, which has no fork either
            os.register_at_fork(after_in_child=lambda: _forget_in_child(reference))

    def get(self) -> Components:
        """Give the components, not necessarily started."""
        current = self._current
        if current is not None:
            return current
        with self._lock:
            return self._built()

    def start(self) -> Components:
        """Give the components, started. Every request may call it: from the second on it is free.

        Raises:
            Exception: a component did not start; the next call tries again.
        """
        current = self._current
        if self._is_started and current is not None:
            return current
        with self._lock:
            current = self._built()
            if not self._is_started:
                current.start()
                self._is_started = True
            self._follow_if_serving(current)
            return current

    def serve(self) -> None:
        """Follow the connections of clients, from when the components are started."""
        if not self._is_serving:
            with self._lock:
                self._is_serving = True
                if self._current is not None and self._is_started:
                    self._follow_if_serving(self._current)

    def follow_by(self, follow: Callable[[Components], ConnectionService]) -> None:
        """Have the connections of components that are started from now on followed by this."""
        with self._lock:
            self._follow = follow

    def follower(self) -> ConnectionService:
        """Give what follows the connections, started with all that it needs."""
        self.serve()
        self.start()
        assert self._follower is not None
        return self._follower

    @property
    def current_follower(self) -> ConnectionService | None:
        """What follows the connections, if this process does; nothing is started."""
        return self._follower

    def _follow_if_serving(self, current: Components) -> None:
        if self._is_serving and self._follower is None and self._follow is not None:
            self._follower = self._follow(current)

    def stop(self) -> list[Any]:
        """Stop the components and forget them; gives the Deferreds that are still to come."""
        with self._lock:
            current, was_started = self._current, self._is_started
            self._current, self._is_started = None, False
            follower, self._follower = self._follower, None
        if follower is not None:
            follower.stop()
        return current.stop() if current is not None and was_started else []

    def _built(self) -> Components:
        if self._current is None:
            self._current = self._build()
        return self._current

    def _forget(self) -> None:
        # A lock that another thread held at the moment of a fork would stay locked in the child.
        self._lock = threading.RLock()
        self._current = None
        self._is_started = False
        self._is_serving = False
        self._follower = None


def _forget_in_child(reference: weakref.ref[ProcessComponents]) -> None:
    process = reference()
    if process is not None:
        process._forget()


_inherited: list[Any] = []
"""Connections of the parent: a child must not even close them."""


def leave_connections(handler: ConnectionHandler | None = None) -> None:
    """Leave to the parent of a fork its connections to the database; the child opens its own.

    They are kept for requests to come, so a worker would use the one that was open when it was
    forked. A transaction that is under way, and a database in memory, stay what they are.
    """
    from django.db import connections

    for each in (handler or connections).all(initialized_only=True):
        is_in_memory = each.vendor == "sqlite" and each.is_in_memory_db()  # type: ignore[attr-defined]
        if each.connection is not None and not each.in_atomic_block and not is_in_memory:
            _inherited.append(each.connection)
            each.connection = None


class ThywillConfig(AppConfig):
    """thywill's entry in ``INSTALLED_APPS``."""

    name = "thywill_server"
    label = "thywill"
    verbose_name = "thywill"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Register system checks, and follow changed settings."""
        from django.core.signals import request_started, setting_changed

        from thywill_server import checks
        from thywill_server.connections import sessions

        checks.register_checks()
        self.process = ProcessComponents(_build, _follow)
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=leave_connections)
        setting_changed.connect(_on_setting_changed, dispatch_uid="thywill.components")
        request_started.connect(_on_request_started, dispatch_uid="thywill.components")
        sessions.watch()


def components() -> Components:
    """Give this process's components, building them at the first use.

    Raises:
        ConfigurationError: ``THYWILL`` is wrong.
    """
    return _process().get()


def start_components() -> Components:
    """Give this process's components, started; the first call in a process starts them.

    Raises:
        ConfigurationError: ``THYWILL`` is wrong.
    """
    return _process().start()


def start_serving() -> Components:
    """Give this process's components, started, and follow the connections of clients.

    A process that answers requests does so from its first one; one that has clients without a
    request of theirs says it here.
    """
    _process().serve()
    return start_components()


def connections() -> ConnectionService:
    """Give what follows the connections of clients in this process."""
    return _process().follower()


def follow_by(follow: Callable[[Components], ConnectionService] | None) -> None:
    """Have connections followed by something else, for tests; None gives it back."""
    _process().follow_by(follow or _follow)


def notice_departures() -> None:
    """Have those noticed soon who were ended, where this process follows connections."""
    follower = _process().current_follower
    if follower is not None:
        follower.notice_departures()


def stop_components() -> list[Any]:
    """Stop this process's components; gives the Deferreds that are still to come."""
    return _process().stop()


def _process() -> ProcessComponents:
    config = apps.get_app_config("thywill")
    assert isinstance(config, ThywillConfig)
    return config.process


def _build() -> Components:
    from django.conf import settings

    from thywill_server.components import load

    return load(getattr(settings, "THYWILL", None))


def _follow(current: Components) -> ConnectionService:
    from thywill_server.connections.service import ConnectionService

    service = ConnectionService(current)
    service.start()
    return service


def _on_request_started(**_: Any) -> None:
    _process().serve()


def _on_setting_changed(*, setting: str, **_: Any) -> None:
    if setting == "THYWILL":
        stop_components()
