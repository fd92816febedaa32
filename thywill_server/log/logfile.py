"""Log records in a file that is begun anew by its size or by the clock."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, ClassVar

from thywill_server.component import Problem
from thywill_server.log.base import LogComponent
from thywill_server.log.rotation import PERIODS
from thywill_server.settings_table import Setting, file_problem


class Logfile(LogComponent):
    """Writes to a file, as text or as JSON lines.

    Several processes may write to the same one; on Windows each needs a file of its own. For a
    rotation from outside, such as logrotate's, set ``max_bytes`` to 0: a file that was renamed or
    deleted is left, and a new one begun, at the next record. Nothing has to be signaled.
    """

    SETTINGS: ClassVar[Mapping[str, Setting]] = {
        **LogComponent.SETTINGS,
        "path": Setting(
            kind="path",
            help="The file, absolute (a relative one counts from where the process was started); "
            "its folder is made.",
            required=True,
        ),
        "format": Setting(
            kind="str",
            help="text for people, or json for one object a line.",
            default="text",
            choices=("text", "json"),
        ),
        "max_bytes": Setting(
            kind="int",
            help="When the file reaches this size it is renamed, and a new one begun; 0 is never.",
            default=10_000_000,
            minimum=0,
        ),
        "every": Setting(
            kind="str",
            help="When the hour, day or week (of UTC, from Thursday on) is over, the file is "
            "renamed too, at the next record.",
            default="never",
            choices=tuple(PERIODS),
        ),
        "backups": Setting(
            kind="int",
            help="How many renamed files are kept; the oldest is deleted.",
            default=5,
            minimum=1,
            maximum=1000,
        ),
    }

    def check(self) -> list[str]:
        """Look whether the file can be written."""
        problems = super().check()
        problem = None if problems else file_problem(self.settings["path"])
        if problem is not None:
            problems.append(Problem(f"{self.setting_name('path')}: {problem}"))
        return problems

    def handler_config(self) -> dict[str, Any]:
        """Give a rotating handler; the folder is made now, the file at the first record."""
        path: Path = self.settings["path"].absolute()
        # Where it cannot be made, logging says so with the first record.
        with suppress(OSError):
            path.parent.mkdir(parents=True, exist_ok=True)
        return {
            "class": "thywill_server.log.rotation.LogFileHandler",
            "filename": str(path),
            "max_bytes": self.settings["max_bytes"],
            "backups": self.settings["backups"],
            "every": self.settings["every"],
        }

    def formatter_config(self) -> dict[str, Any]:
        """Give the formatter for the setting ``format``."""
        name = "JsonLinesFormatter" if self.settings["format"] == "json" else "TextFormatter"
        return {"()": f"thywill_server.log.formatters.{name}"}
