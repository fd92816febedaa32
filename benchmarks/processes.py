"""The processes of one system: started on one core, watched, measured, ended."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

STOP_SECONDS: Final = 5.0
START_SECONDS: Final = 60.0


class StartError(Exception):
    """A system did not start; the text says why."""


def free_ports(number: int) -> list[int]:
    """Ports of loopback that nobody listens on, all different."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(number)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]


class Processes:
    """What one system runs.

    Attributes:
        log: where their output goes.
    """

    def __init__(self, cpu: str, log: Path) -> None:
        self._cpu = cpu
        self._started: list[subprocess.Popen[bytes]] = []
        self.log = log

    def start(
        self,
        command: Sequence[object],
        environment: Mapping[str, str] | None = None,
        *,
        folder: Path | None = None,
        is_clean: bool = False,
    ) -> None:
        """Start one of them.

        Args:
            environment: variables to add to ours.
            is_clean: have these variables only.
        """
        variables = {} if is_clean else {**os.environ, "PYTHONUNBUFFERED": "1"}
        with self.log.open("ab") as output:
            self._started.append(
                subprocess.Popen(
                    ["taskset", "-c", self._cpu, *map(str, command)],
                    env={**variables, **(environment or {})},
                    cwd=folder,
                    stdout=output,
                    stderr=output,
                    stdin=subprocess.DEVNULL,
                    start_new_session=True,
                )
            )

    def wait_for(self, port: int) -> None:
        """Wait until somebody listens."""
        end = time.monotonic() + START_SECONDS
        while time.monotonic() < end and all(process.poll() is None for process in self._started):
            with (
                contextlib.suppress(OSError),
                socket.create_connection(("127.0.0.1", port), timeout=1),
            ):
                return
            time.sleep(0.05)
        lines = self.log.read_text(errors="replace").strip().splitlines()
        raise StartError(f"did not start: {lines[-1][:200] if lines else 'it says nothing'}")

    def wait_for_children(self, number: int) -> None:
        """Wait until those that were started have so many descendants, which do the work."""
        end = time.monotonic() + START_SECONDS
        while len(self.pids()) < len(self._started) + number:
            if time.monotonic() > end:
                raise StartError("its worker processes did not start")
            time.sleep(0.05)

    def pids(self) -> list[int]:
        """Those started, and all their descendants."""
        children: dict[int, list[int]] = {}
        for pid, parent in _all_processes():
            children.setdefault(parent, []).append(pid)
        found: list[int] = []
        waiting = [process.pid for process in self._started]
        while waiting:
            pid = waiting.pop()
            found.append(pid)
            waiting += children.get(pid, [])
        return found

    def stop(self, *, is_patient: bool = True) -> None:
        """End them all: first asked, unless there is no patience, then told."""
        pids = self.pids()
        asked = ((signal.SIGTERM, STOP_SECONDS),) if is_patient else ()
        for number, seconds in (*asked, (signal.SIGKILL, STOP_SECONDS)):
            for pid in pids:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, number)
            end = time.monotonic() + seconds
            while pids and time.monotonic() < end:
                for process in self._started:
                    process.poll()
                pids = [pid for pid in pids if _is_alive(pid)]
                time.sleep(0.02)
        self._started.clear()


def resident_kilobytes(pids: Sequence[int]) -> int:
    """Memory that the processes have in use, shared pages counted for each."""
    total = 0
    for pid in pids:
        with contextlib.suppress(OSError):
            text = Path(f"/proc/{pid}/smaps_rollup").read_text()
            total += sum(
                int(line.split()[1]) for line in text.splitlines() if line.startswith("Rss:")
            )
    return total


def _all_processes() -> Iterator[tuple[int, int]]:
    """Process id and parent of each."""
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            fields = _fields(int(folder.name))
            if fields:
                yield int(folder.name), int(fields[1])


def _is_alive(pid: int) -> bool:
    fields = _fields(pid)
    return bool(fields) and fields[0] != "Z"


def _fields(pid: int) -> list[str]:
    """Fields of /proc/PID/stat from the state on; nothing when it is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []
