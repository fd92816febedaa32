"""Builds the load generator, and runs it once."""

from __future__ import annotations

import json
import select
import shutil
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from benchmarks.processes import resident_kilobytes
from benchmarks.workloads import Workload

HERE: Final = Path(__file__).parent
MEMORY_STAGES: Final = (1000, 5000)

Figures = dict[str, Any]
"""What the generator prints, see the end of loadgen.c."""


class UnusableError(Exception):
    """Nothing can be measured here; the text says what is missing."""


def build(source: Path, work: Path) -> Path:
    """Compile a C program into the work folder, unless that was done."""
    program = work / source.stem
    if not program.exists() or program.stat().st_mtime < source.stat().st_mtime:
        compiler = shutil.which("cc")
        if compiler is None:
            raise UnusableError("a C compiler is missing (Debian: sudo apt install gcc libc6-dev)")
        subprocess.run([compiler, "-O2", "-o", program, source], check=True)
    return program


def warm_up_of(workload: Workload, messages: int) -> int:
    """How many messages go before those that count.

    Where each client sends for itself, all of them do so at least once: one that has connected and
    says nothing occupies a thread of some servers.
    """
    return max(5, messages // 10, workload.clients if workload.mode == "echo" else 0)


class Generator:
    """The generator, on its own core.

    Attributes:
        cpu: the core.
    """

    def __init__(self, work: Path, cpu: str) -> None:
        self.cpu = cpu
        self._spec = work / "conversation"
        self._program = build(HERE / "loadgen.c", work)

    def run(
        self,
        workload: Workload,
        conversation: str,
        pids: Sequence[int],
        messages: int,
        *,
        least_seconds: float = 0.0,
        settle_seconds: float,
        stall_seconds: float,
        handshakes_at_once: int,
        timeout_seconds: float,
    ) -> Figures:
        """Send so many messages, after some to warm up; more if that took less than so long."""
        self._spec.write_text(conversation)
        command = self._command(
            mode=workload.mode,
            n=workload.clients,
            msgs=messages,
            warm=warm_up_of(workload, messages),
            window=workload.window,
            rate=workload.rate_per_second,
            seconds=least_seconds,
            timeout=timeout_seconds,
            stall=stall_seconds,
            settle=settle_seconds,
            conc=handshakes_at_once,
            pids=",".join(map(str, pids)),
        )
        try:
            result = subprocess.run(
                command, stdout=subprocess.PIPE, timeout=timeout_seconds + 60, check=False
            )
        except subprocess.TimeoutExpired:
            return {"ok": False, "error": "the generator did not end"}
        lines = result.stdout.decode().strip().splitlines()
        if not lines:
            return {"ok": False, "error": f"the generator failed (status {result.returncode})"}
        figures: Figures = json.loads(lines[-1])
        return figures

    def memory(
        self,
        conversation: str,
        pids: Sequence[int],
        *,
        handshakes_at_once: int,
        timeout_seconds: float,
    ) -> Figures:
        """Kilobytes for each of 1,000, then of 5,000 idle connections."""
        self._spec.write_text(conversation)
        before = resident_kilobytes(pids)
        figures: Figures = {"ok": True, "base_kilobytes": before}
        stages = ",".join(map(str, MEMORY_STAGES))
        command = self._command(
            mode="hold", stages=stages, timeout=timeout_seconds, conc=handshakes_at_once
        )
        with subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0
        ) as process:
            assert process.stdin is not None
            assert process.stdout is not None
            for connections in MEMORY_STAGES:
                ready, _, _ = select.select([process.stdout], [], [], timeout_seconds + 10)
                line = process.stdout.readline().decode() if ready else ""
                if not line.startswith("READY"):
                    process.kill()
                    reason = "too slow" if not ready else "could not all connect and subscribe"
                    return {"ok": False, "error": f"{connections:,} clients: {reason}"}
                time.sleep(2)
                used = resident_kilobytes(pids) - before
                figures[f"kilobytes_{connections}"] = round(used / connections, 2)
                process.stdin.write(b"\n")
        return figures

    def _command(self, **options: object) -> list[str]:
        command = ["taskset", "-c", self.cpu, str(self._program), "--spec", str(self._spec)]
        for name, value in options.items():
            command += [f"--{name}", str(value)]
        return command
