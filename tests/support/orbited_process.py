"""The ``orbited`` command with any configuration, on free ports, with its log kept in a file."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Self

ROOT = Path(__file__).parents[2]
SECONDS = 60.0

_LISTENING = re.compile(r"\tlistening on (\w+)://(\S+?):(\d+)$", re.MULTILINE)


class OrbitedProcess:
    """A running server; as a context manager it is ended behind the block.

    Attributes:
        ports: of each scheme of ``[listen]``, in order; port 0 in the file is any free one.
    """

    def __init__(self, folder: Path, config: str, *arguments: str) -> None:
        self.folder = folder
        self.config_file = folder / "orbited.cfg"
        self.config_file.write_text(config)
        self._log = folder / "screen.log"
        with self._log.open("wb") as screen:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "orbited", *arguments],
                cwd=folder,
                env={**os.environ, "PYTHONPATH": str(ROOT)},
                stdout=screen,
                stderr=subprocess.STDOUT,
            )
        wanted = len(re.findall(r"^\w+://", config, re.MULTILINE))
        self.ports: dict[str, list[int]] = {}
        try:
            self.wait_for(lambda: len(_LISTENING.findall(self.log)) == wanted)
        except BaseException:
            self.end()
            raise
        for scheme, _, port in _LISTENING.findall(self.log):
            self.ports.setdefault(scheme, []).append(int(port))

    @property
    def log(self) -> str:
        """What it wrote on its screen so far."""
        return self._log.read_text("utf-8")

    def wait_for(self, condition, seconds: float = SECONDS) -> None:  # type: ignore[no-untyped-def]
        """Until something is so, while the process lives."""
        deadline = time.monotonic() + seconds
        while not condition():
            assert self.process.poll() is None, self.log
            assert time.monotonic() < deadline, self.log
            time.sleep(0.02)

    def send(self, number: signal.Signals) -> None:
        """Send a signal."""
        self.process.send_signal(number)

    def wait(self, seconds: float = SECONDS) -> int:
        """The exit status, once it has ended."""
        return self.process.wait(seconds)

    def end(self) -> None:
        """End it, whatever it does."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.end()
