"""SQLite: a file, no server; set up so that several threads and processes may write."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, ClassVar, Final

from thywill_server.component import Problem
from thywill_server.database.base import DatabaseComponent
from thywill_server.settings_table import Setting, file_problem

MEMORY: Final = ":memory:"


class Sqlite(DatabaseComponent):
    """A file, or memory.

    A transaction takes the write lock when it begins (IMMEDIATE): one that reads first and writes
    later would otherwise be refused at once when another has written meanwhile, however long the
    busy timeout. With the write-ahead log readers never wait for the writer.
    """

    SETTINGS: ClassVar[Mapping[str, Setting]] = {
        "name": Setting(
            kind="path",
            help="The file, absolute (a relative one counts from where the process was started); "
            "its folder is made. Or :memory:, for a process that forgets everything at its end.",
            default="thywill.sqlite3",
        ),
        "busy_timeout_seconds": Setting(
            kind="float",
            help="How long a writer waits for another one, in seconds, before its request fails "
            'with "database is locked".',
            default=20.0,
            minimum=0,
            maximum=600,
        ),
        "connection_max_age_seconds": Setting(
            kind="int",
            help="How long a thread keeps its connection for further requests, in seconds; 0 opens "
            "one for each request, which takes longer than all else that Django does for a short "
            "one. A file that is put in its place is noticed when the connections are that old.",
            default=60,
            minimum=0,
            maximum=86400,
        ),
        "transaction_mode": Setting(
            kind="str",
            help="When a transaction takes its lock.",
            default="IMMEDIATE",
            choices=("DEFERRED", "IMMEDIATE", "EXCLUSIVE"),
        ),
        "synchronous": Setting(
            kind="str",
            help="NORMAL may lose the last transactions when the machine loses power, but never "
            "breaks the file; FULL waits for the disk at every commit.",
            default="NORMAL",
            choices=("NORMAL", "FULL"),
        ),
    }

    def check(self) -> list[str]:
        """Look whether the file can be written."""
        problems = super().check()
        path: Path = self.settings["name"]
        if problems or str(path) == MEMORY:
            return problems
        problem = file_problem(path)
        if problem is not None:
            problems.append(Problem(f"{self.setting_name('name')}: {problem}"))
        return problems

    def django_database(self) -> dict[str, Any]:
        """Give the settings of Django's SQLite backend."""
        path: Path = self.settings["name"]
        if str(path) != MEMORY:
            path = path.absolute()
            # Where it cannot be made, the check says why.
            with suppress(OSError):
                path.parent.mkdir(parents=True, exist_ok=True)
        return {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": str(path),
            "CONN_MAX_AGE": self.settings["connection_max_age_seconds"],
            "OPTIONS": {
                "timeout": self.settings["busy_timeout_seconds"],
                "transaction_mode": self.settings["transaction_mode"],
                "init_command": (
                    "PRAGMA journal_mode=WAL;"
                    f"PRAGMA synchronous={self.settings['synchronous']};"
                    "PRAGMA foreign_keys=ON;"
                ),
            },
        }
