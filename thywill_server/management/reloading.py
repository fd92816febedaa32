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
from collections.abc import Callable, Mapping
from pathlib import Path
from types import FrameType

from django.utils import autoreload

__all__ = ["RELOAD", "is_child", "supervise", "watch"]

RELOAD = 3
"""The exit code that asks for a new process; Django uses the same."""

POLL_SECONDS = 0.5


def is_child() -> bool:
    """Tell whether this process was started by `supervise`."""
    return os.environ.get(autoreload.DJANGO_AUTORELOAD_ENV) == "true"


def watch(on_change: Callable[[], None]) -> None:
    """Call back, in another thread, once when a file of this program changes."""

    def run() -> None:
        try:
            autoreload.get_reloader().run(threading.main_thread())
        except SystemExit:
            on_change()

    threading.Thread(target=run, name="reloader", daemon=True).start()


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
            code = self._run_child()
            if code == RELOAD:
                has_reloaded = True
            elif self._is_stopping or code == 0 or not has_reloaded:
                return code
            else:
                self._say("The site does not start with this change; it waits for the next one.")
                self._wait_for_change()
            if self._is_stopping:
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

    def _wait_for_change(self) -> None:
        before = _modified()
        while not self._is_stopping and _modified() == before:
            time.sleep(POLL_SECONDS)


def _modified() -> dict[Path, float]:
    """Give the times of all modules that this process knows of."""
    return dict(autoreload.StatReloader().snapshot_files())


def announce(text: str) -> None:
    """Tell the person at the terminal."""
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()
