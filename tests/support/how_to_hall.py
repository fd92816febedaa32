"""The program and the settings of the how-to on applications in other processes."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Self

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "documentation" / "how-to" / "write-an-application-in-another-process.md"

SITE_LOGIN = 'login="site", passcode=ticket'
ACCOUNT = 'login="guest", passcode="guest"'
DIES = """    if request.get("command") == "die":
        os._exit(1)
    if request.get("command") == "fail":
        raise KeyError("not for browsers")
"""


def block(name: str) -> str:
    """A block of code of the page, by its first line."""
    found: list[str] = re.findall(r"```python\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    (source,) = [source for source in found if source.startswith(f"# {name}\n")]
    return source


class Hall:
    """The program as the page has it, running; with two further commands, to die and to fail.

    Args:
        folder: where it is written to.
        port: the broker's.
        key_file: the ticket key; None: it logs in as guest.
    """

    def __init__(self, folder: Path, port: int, key_file: Path | None = None) -> None:
        source = block("hall.py").replace("def answer(request):\n", f"def answer(request):\n{DIES}")
        if key_file is None:
            assert SITE_LOGIN in source
            source = source.replace(SITE_LOGIN, ACCOUNT)
            key_file = folder / "none.key"
            key_file.write_text("no key")
        path = folder / "hall.py"
        path.write_text(source)
        self._process = subprocess.Popen(
            [sys.executable, str(path)],
            env={
                **os.environ,
                "PYTHONPATH": str(ROOT),
                "STOMP_PORT": str(port),
                "THYWILL_TICKET_KEY_FILE": str(key_file),
            },
            stdout=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> Self:
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == "ready\n"
        return self

    def __exit__(self, *exception: object) -> None:
        self.kill()

    def kill(self) -> None:
        """End it with SIGKILL."""
        self._process.kill()
        self.wait()

    def wait(self) -> None:
        """Wait for its end."""
        self._process.wait(60)
        assert self._process.stdout is not None
        self._process.stdout.close()
