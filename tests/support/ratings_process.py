"""``manage.py ratings`` in a process of its own."""

from __future__ import annotations

import signal
import sys
from pathlib import Path

from tests.support.site_process import Process


class RatingsProcess(Process):
    """The model of the ratings, at the broker of a site.

    Args:
        home: THYWILL_HOME of the site.
        port: of its broker.
        options: further ones of the command.
    """

    def __init__(self, home: Path, port: int, *options: str, **more: str) -> None:
        command = [sys.executable, "manage.py", "ratings", "--port", str(port), *options]
        super().__init__(command, home, **more)
        self.wait_for_line("ratings: live at the broker")

    def kill(self) -> None:
        """End it with SIGKILL."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
