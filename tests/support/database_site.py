"""The site on a private database server, by settings alone; and programs that use its tables."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from tests.support.private_server import PrivateServer
from tests.support.site_process import ROOT, environment, manage, write_settings

SECONDS = 60


def database_settings(server: PrivateServer) -> str:
    """Lines of a settings module that put the site on an empty database of this server."""
    chosen = {"component": server.component, **server.new_database()}
    return f'THYWILL["database"] = {chosen!r}\nDATABASES = {{"default": django_database(THYWILL)}}'


class DatabaseSite:
    """A site's folder and settings, on a database of its own.

    Args:
        home: a folder of its own.
        server: None for SQLite.

    Attributes:
        environment: for `manage`, `SiteProcess` and programs.
    """

    def __init__(self, home: Path, server: PrivateServer | None) -> None:
        self.home = home
        self.environment = write_settings(home, "" if server is None else database_settings(server))

    def manage(self, *arguments: str) -> str:
        """Run a command of ``manage.py``; gives what it says."""
        finished = manage(self.home, *arguments, **self.environment)
        assert finished.returncode == 0, finished.stderr
        return finished.stdout

    def start(self, source: str, *arguments: str) -> subprocess.Popen[str]:
        """Start a program in which Django is set up; for a ``with`` block."""
        given = environment(self.home, **self.environment)
        given["PYTHONPATH"] += f":{ROOT}"
        return subprocess.Popen(
            [sys.executable, "-c", f"import django\ndjango.setup()\n{source}", *arguments],
            cwd=ROOT,
            env=given,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, source: str, *arguments: str) -> str:
        """Run such a program to its end; gives what it prints."""
        with self.start(source, *arguments) as program:
            return finish(program)

    def run_together(self, source: str, arguments: Sequence[str]) -> list[str]:
        """Run one program for each argument; each says ``ready``, then all go on at once."""
        with ExitStack() as stack:
            programs = [stack.enter_context(self.start(source, each)) for each in arguments]
            for program in programs:
                assert program.stdout is not None
                assert program.stdout.readline() == "ready\n", finish(program)
            for program in programs:
                assert program.stdin is not None
                program.stdin.write("go\n")
                program.stdin.flush()
            return [finish(program) for program in programs]


def finish(program: subprocess.Popen[str]) -> str:
    """Wait for a program's good end; gives what it printed."""
    printed, complained = program.communicate(timeout=SECONDS)
    assert program.returncode == 0, complained
    return printed
