"""What a system is to the benchmark.

A system starts processes, says what a client of it says, and says what it is::

    class Echo(System):
        name = "echo"
        title = "echo in Python"
        kinds = frozenset({"echo"})

        def start(self) -> None:
            (self.port,) = free_ports(1)
            self.processes.start([sys.executable, SERVERS / "echo.py", self.port])
            self.processes.wait_for(self.port)

        def conversation(self, kind: str) -> Conversation:
            return Conversation().role("sub").address(self.port).publish(MESSAGE)

It is made once and started anew for every round. Add it to its family's list, which
``benchmarks.systems`` collects.
"""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, Final

from benchmarks.conversation import Conversation
from benchmarks.processes import Processes

SERVERS: Final = Path(__file__).parent.parent / "servers"
ROOT: Final = Path(__file__).parent.parent.parent


@dataclass
class Bench:
    """What all systems share.

    Attributes:
        work: folder that git ignores, for all that is built, installed and logged.
        server_cpu: the core that systems run on.
    """

    work: Path
    server_cpu: str = "0"
    _installed: dict[tuple[str, ...], str | None] = field(default_factory=dict)

    @property
    def peers_python(self) -> Path:
        """The Python that has what others have published."""
        return self.work / "peers" / "bin" / "python"

    def install(self, *requirements: str) -> str | None:
        """Put packages from PyPI into an environment of their own, once.

        Returns:
            what went wrong, or None.
        """
        if requirements not in self._installed:
            self._installed[requirements] = self._install(requirements)
        return self._installed[requirements]

    def _install(self, requirements: tuple[str, ...]) -> str | None:
        log = self.work / "install.log"
        commands = [[str(self.peers_python), "-m", "pip", "install", "--quiet", *requirements]]
        if not self.peers_python.exists():
            commands.insert(0, [sys.executable, "-m", "venv", str(self.work / "peers")])
        with log.open("ab") as output:
            for command in commands:
                if subprocess.run(command, stdout=output, stderr=output, check=False).returncode:
                    return f"pip could not install {', '.join(requirements)}"
        return None

    def version_of(self, package: str) -> str:
        """Version of an installed peer."""
        code = f"import importlib.metadata as m; print(m.version({package!r}))"
        return output_of([str(self.peers_python), "-c", code])


class System:
    """One system under test.

    Attributes:
        name: on the command line and in result files.
        title: in tables.
        kinds: of conversations that it can hold, see ``benchmarks.workloads``.
        is_reference: a yardstick made for this benchmark, not something one would deploy.
        is_in_short_runs: whether ``--short`` takes it in.
        settle_seconds: how long it needs after the last subscription.
        handshakes_at_once: how many clients may connect at the same time.
    """

    name: str
    title: str
    kinds: ClassVar[frozenset[str]]
    is_reference: ClassVar[bool] = False
    is_in_short_runs: bool = True
    settle_seconds: ClassVar[float] = 0.3
    handshakes_at_once: ClassVar[int] = 32

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.processes = Processes(bench.server_cpu, bench.work / f"{self.name}.log")

    def missing(self) -> str | None:
        """Say in half a sentence what this machine lacks; install what can be installed."""
        return None

    def version(self) -> str:
        """What was measured: name and number of all that matters. After ``missing``."""
        raise NotImplementedError

    def start(self) -> None:
        """Start on free ports, and return when it listens. Raises ``StartError``."""
        raise NotImplementedError

    def prepare(self, kind: str) -> None:
        """Called before each workload: start anew if this kind needs another set-up."""

    def stop(self) -> None:
        """End what was started."""
        self.processes.stop()

    def pids(self) -> list[int]:
        """The processes whose CPU time counts."""
        return self.processes.pids()

    def conversation(self, kind: str) -> Conversation:
        """What its clients say."""
        raise NotImplementedError


def our_version() -> str:
    """The revision of this repository, whether its servers were changed since, what is below."""
    import twisted

    revision = output_of(["git", "-C", str(ROOT), "rev-parse", "--short", "HEAD"])
    packages = ["stompservice", "morbid", "orbited"]
    if output_of(["git", "-C", str(ROOT), "status", "--porcelain", "--", *packages]) != "?":
        revision += " with changes"
    return f"revision {revision}, Twisted {twisted.__version__}, Python {platform.python_version()}"


def output_of(command: list[str], environment: Mapping[str, str] | None = None) -> str:
    """First line that a command prints, or "?"."""
    try:
        result = subprocess.run(
            command,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            env={**os.environ, **(environment or {})},
        )
    except OSError:
        return "?"
    lines = (result.stdout or result.stderr).strip().splitlines()
    return lines[0].strip() if lines else "?"
