"""thywill as a Django app, and the components of this process.

The components are built at the first use, from ``settings.THYWILL``, and live as long as the
process, with three exceptions: ``override_settings`` on ``THYWILL`` stops them and builds others,
`stop_components` ends them, and a forked child begins with none, since it has none of its parent's
threads and must not use its connections.
"""

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from django.apps import AppConfig, apps

if TYPE_CHECKING:
    from thywill_server.components import Components


class ProcessComponents:
    """One process's components: built once, started once, by whichever thread comes first.

    Args:
        build: makes the components; what it raises reaches every caller.
    """

    _lock: threading.RLock
    _current: Components | None
    _is_started: bool

    def __init__(self, build: Callable[[], Components]) -> None:
        self._build = build
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
            return current

    def stop(self) -> list[Any]:
        """Stop the components and forget them; gives the Deferreds that are still to come."""
        with self._lock:
            current, was_started = self._current, self._is_started
            self._current, self._is_started = None, False
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


def _forget_in_child(reference: weakref.ref[ProcessComponents]) -> None:
    process = reference()
    if process is not None:
        process._forget()


class ThywillConfig(AppConfig):
    """thywill's entry in ``INSTALLED_APPS``."""

    name = "thywill_server"
    label = "thywill"
    verbose_name = "thywill"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Register system checks, and follow changed settings."""
        from django.core.signals import setting_changed

        from thywill_server import checks

        checks.register_checks()
        self.process = ProcessComponents(_build)
        setting_changed.connect(_on_setting_changed, dispatch_uid="thywill.components")


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


def _on_setting_changed(*, setting: str, **_: Any) -> None:
    if setting == "THYWILL":
        stop_components()
