"""Start a command anew when its code changes, with the reactor in the main thread.

Django's reloader runs the command in a second thread and ends the process from the first. A
reactor wants the first for itself: for signals, and to end in good order. So here it is the other
way round, with Django's own watching::

    parent                              child, one after the other
    supervise() --starts--> process --> watch(on_change) in a thread; the reactor in the main one
         ^                                 |
         +------- exit code RELOAD <-------+ on_change() stops the reactor

The parent hands SIGTERM and SIGINT on and waits, so that the child can drain. A child that does
not start after a change, because of a syntax error say, is not the end: the parent waits for the
next change.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from types import FrameType

from django.apps import apps
from django.conf import settings
from django.utils import autoreload

from thywill_server.application.packages import folders_of
from thywill_server.components import installed_applications

__all__ = ["RELOAD", "is_child", "supervise", "times_of_code", "watch"]

RELOAD = 3
"""The exit code that asks for a new process; Django uses the same."""

POLL_SECONDS = 0.5


def is_child() -> bool:
    """Tell whether this process was started by `supervise`."""
    return os.environ.get(autoreload.DJANGO_AUTORELOAD_ENV) == "true"


def watch(since: Mapping[Path, float], on_change: Callable[[], None]) -> None:
    """Call back, in another thread, once when a file of this program changes.

    Args:
        since: from `times_of_code`, taken before the code was used.
        on_change: stops this process.
    """

    def run() -> None:
        try:
            _Watcher(since).run(threading.main_thread())
        except SystemExit:  # Django's way to say it
            on_change()

    threading.Thread(target=run, name="reloader", daemon=True).start()


class _Watcher(autoreload.StatReloader):
    """Django's watching, with a look at all of the applications, from before they were imported."""

    def __init__(self, since: Mapping[Path, float]) -> None:
        super().__init__()
        self._times = dict(since)

    def tick(self) -> Iterator[None]:
        """Look once at each step."""
        while True:
            applications = dict(_application_files())
            new = [path for path in applications if path not in self._times]
            for path, time_of_change in [*self.snapshot_files(), *applications.items()]:
                before = self._times.get(path, time_of_change)
                self._times[path] = time_of_change
                if time_of_change != before:
                    self.notify_file_changed(path)
            # Nothing else than a module of an application is new because somebody has written it.
            for path in new:
                self.notify_file_changed(path)
            time.sleep(POLL_SECONDS)
            yield


def times_of_code() -> dict[Path, float]:
    """Give the times of what is imported, and of all modules in the applications."""
    return dict([*autoreload.StatReloader().snapshot_files(), *_application_files()])


def _application_files() -> Iterator[tuple[Path, float]]:
    folders = {Path(application.path) for application in apps.get_app_configs()}
    # A package that was dropped in while the site runs is not installed yet.
    for name in installed_applications(getattr(settings, "THYWILL", None)):
        folders.update(folders_of(name))
    for folder in folders:
        if "site-packages" not in folder.parts:
            for path in folder.rglob("*.py"):
                with suppress(FileNotFoundError):
                    yield path, path.stat().st_mtime


def supervise(environment: Mapping[str, str], say: Callable[[str], None]) -> int:
    """Run this very command in processes, one after the other; gives the last one's exit code.

    Args:
        environment: variables for the children, beside those of this process.
        say: tells a person something.
    """
    supervisor = _Supervisor(environment, say)
    previous = {
        number: signal.signal(number, supervisor.on_signal)
        for number in (signal.SIGTERM, signal.SIGINT)
    }
    try:
        return supervisor.run()
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


class _Supervisor:
    def __init__(self, environment: Mapping[str, str], say: Callable[[str], None]) -> None:
        self._environment = {
            **os.environ,
            **environment,
            autoreload.DJANGO_AUTORELOAD_ENV: "true",
        }
        self._say = say
        self._child: subprocess.Popen[bytes] | None = None
        self._is_stopping = False

    def run(self) -> int:
        has_reloaded = False
        while True:
            before = times_of_code()
            code = self._run_child()
            if self._is_stopping:
                return max(0, code) if code != RELOAD else 0  # below 0: it had not begun yet
            if code == RELOAD:
                has_reloaded = True
            elif code == 0 or not has_reloaded:
                return code
            else:
                self._say("The site does not start with this change; it waits for the next one.")
                if not self._has_changed(before):
                    return 0

    def on_signal(self, number: int, frame: FrameType | None) -> None:
        """Hand a signal on. From a terminal SIGINT reaches the child by itself as well."""
        self._is_stopping = True
        if self._child is not None:
            self._child.send_signal(signal.SIGTERM)

    def _run_child(self) -> int:
        self._child = subprocess.Popen(  # noqa: S603 - this very command
            autoreload.get_child_arguments(), env=self._environment, close_fds=False
        )
        try:
            return self._child.wait()
        finally:
            self._child = None

    def _has_changed(self, before: Mapping[Path, float]) -> bool:
        """Wait for a change of the code; False when a signal comes first."""
        while not self._is_stopping:
            if times_of_code() != before:
                return True
            time.sleep(POLL_SECONDS)
        return False


def announce(text: str) -> None:
    """Tell the person at the terminal."""
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()
