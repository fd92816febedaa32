"""Log records on standard error, for the terminal or for whatever collects it."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from typing import Any, ClassVar

from thywill_server.log.base import LogComponent
from thywill_server.settings_table import Setting


class Console(LogComponent):
    """Writes to standard error, one line a record."""

    SETTINGS: ClassVar[Mapping[str, Setting]] = {
        **LogComponent.SETTINGS,
        "color": Setting(
            kind="str",
            help="Whether levels are colored; auto means on a terminal, unless NO_COLOR is set.",
            default="auto",
            choices=("auto", "always", "never"),
        ),
    }

    def handler_config(self) -> dict[str, Any]:
        """Give a handler for standard error."""
        return {"class": "logging.StreamHandler"}

    def formatter_config(self) -> dict[str, Any]:
        """Give a formatter for people."""
        return {"()": "thywill_server.log.formatters.TextFormatter", "color": self._has_color()}

    def _has_color(self) -> bool:
        if self.settings["color"] == "auto":
            return not os.environ.get("NO_COLOR") and sys.stderr.isatty()
        return bool(self.settings["color"] == "always")
