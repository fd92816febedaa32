"""Another commit of this project, measured beside the present one.

``./run bench --baseline COMMIT`` fetches the files of that commit from git, and for each system of
this project there is a second one that runs on them, under the same name with ``@COMMIT`` behind.
Both take turns within each round, and the quotient of each round is what counts.
"""

from __future__ import annotations

import io
import shutil
import subprocess
import tarfile
from collections.abc import Iterable, Sequence
from pathlib import Path

from benchmarks.generator import UnusableError
from benchmarks.results import Row, ratio
from benchmarks.systems import everything
from benchmarks.systems.base import ROOT, Bench, System


def check_out(commit: str, work: Path, repository: Path = ROOT) -> Bench:
    """Put the files of a commit into a folder of their own: no git worktree, nothing to prune.

    Raises:
        UnusableError: there is no such commit.
    """

    def git(*arguments: str) -> bytes:
        command = ["git", "-C", str(repository), *arguments]
        done = subprocess.run(command, capture_output=True, check=False)
        if done.returncode:
            words = done.stderr.decode(errors="replace").strip().splitlines()
            raise UnusableError(f"--baseline {commit}: {words[-1] if words else 'git failed'}")
        return done.stdout

    label = git("rev-parse", "--short", "--verify", "--end-of-options", commit + "^{commit}")
    name = label.decode().strip()
    root = work / "baseline" / name
    if not root.exists():
        half = root.with_name(f"{name}.half")
        shutil.rmtree(half, ignore_errors=True)
        with tarfile.open(fileobj=io.BytesIO(git("archive", "--format=tar", name))) as files:
            files.extractall(half, filter="data")
        half.rename(root)
    own_work = work / "baseline" / "work"
    own_work.mkdir(exist_ok=True)
    return Bench(own_work, root=root, label=name)


def with_twins(systems: Sequence[System], former: Bench) -> list[System]:
    """Those systems, and behind each of ours the same of the former commit."""
    twins = everything(former)
    found = []
    for system in systems:
        found.append(system)
        if system.is_ours:
            twin = twins[system.name]
            twin.name += f"@{former.label}"
            twin.title += f" at {former.label}"
            found.append(twin)
    return found


def comparison(rows: Iterable[Row], label: str) -> str:
    """A line for each workload and system: what it costs now, then, and the quotient."""
    found = {(row.workload, row.system): row for row in rows}
    head = f"{'':<10}{'':<22}{'now':>9}{label:>11}   now / {label}, median of the rounds (range)"
    lines = [head]
    for (workload, system), mine in found.items():
        other = found.get((workload, f"{system}@{label}"))
        if other is None:
            continue
        known = ratio(mine, other)
        if known is None:
            reason = mine.fault or other.fault
            lines.append(f"{workload:<10}{system:<22} {reason or 'see above'}")
            continue
        lines.append(
            f"{workload:<10}{system:<22}{mine.microseconds:9.2f}{other.microseconds:11.2f}   "
            f"{known.median:.3f} ({known.lowest:.3f} to {known.highest:.3f})"
        )
    return "\n".join(lines)
