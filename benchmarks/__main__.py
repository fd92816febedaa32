"""The command: ``python -m benchmarks``, which ``./run bench`` calls."""

from __future__ import annotations

import argparse
import datetime
import json
import os
import shutil
import signal
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks import chart, machine, report, results
from benchmarks.campaign import Campaign, messages_of
from benchmarks.generator import Generator, UnusableError
from benchmarks.systems import everything
from benchmarks.systems.base import Bench, System
from benchmarks.workloads import GROUPS, WORKLOADS, Workload

HERE: Final = Path(__file__).parent
ROOT: Final = HERE.parent
PAGE: Final = ROOT / "documentation" / "reference" / "benchmarks.md"
IMAGES: Final = ROOT / "documentation" / "images"

SHARES: Final = {"web": 50, "growth": 13, "post": 9, "stomp": 15, "http": 4, "memory": 9}
"""How much of the time each group may take, of a hundred."""
SLOW_GROUPS: Final = ("growth", "memory")
"""Groups whose clients take long to connect: two rounds of them are enough."""


@dataclass(frozen=True)
class Preset:
    """How thoroughly to measure.

    Attributes:
        rounds: at most.
        seconds: of one run.
        soft_seconds: from when on no further round begins, in all groups together.
        hard_seconds: from when on nothing begins.
    """

    rounds: int
    seconds: float
    soft_seconds: float
    hard_seconds: float


FULL: Final = Preset(3, 1.0, 22 * 60, 30 * 60)
SHORT: Final = Preset(2, 0.3, 180, 240)


def build_parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="./run bench",
        description="Measure what delivering a message costs, for this project and for others. "
        "What was measured is written into documentation/reference/benchmarks.md.",
        epilog="Results are kept in benchmarks/work/, a line of JSON for each run.",
    )
    parser.add_argument("--list", action="store_true", help="say what there is, and end")
    parser.add_argument(
        "--short", action="store_true", help="fewer systems and shorter runs: within five minutes"
    )
    parser.add_argument("--only", metavar="GROUP,...", help=f"of {', '.join(GROUPS)}")
    parser.add_argument("--rounds", type=int, help=f"how often (default {FULL.rounds})")
    parser.add_argument(
        "--seconds", type=float, help=f"length of one run (default {FULL.seconds:g})"
    )
    parser.add_argument("--systems", help="only these, as in morbid,rabbitmq; writes no page")
    parser.add_argument("--workloads", help="only these, as in D1,E32; writes no page")
    parser.add_argument("--report", action="store_true", help="write the page from the last run")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run it; returns the exit status."""
    begun = time.monotonic()
    parser = build_parser()
    arguments = parser.parse_args(argv)
    work = HERE / "work"
    work.mkdir(exist_ok=True)
    bench = Bench(work, os.environ.get("BENCH_SERVER_CPU", "0"))
    systems = everything(bench)
    if arguments.list:
        return _list(systems)
    if arguments.report:
        _write_page(work)
        return 0
    preset = SHORT if arguments.short else FULL
    try:
        groups = _chosen_groups(arguments.only, arguments.workloads, is_short=arguments.short)
        wanted = _chosen_systems(systems, groups, arguments.systems, is_short=arguments.short)
    except KeyError as error:
        parser.error(f"{error.args[0]!r} is not known: --list says what there is")
    is_partial = bool(arguments.systems or arguments.workloads)
    run = Run(
        bench,
        wanted,
        rounds=arguments.rounds or preset.rounds,
        seconds=arguments.seconds or preset.seconds,
        clock=lambda: time.monotonic() - begun,
    )
    try:
        run.prepare()
        left = sum(SHARES[group] for group in groups)
        for group, workloads in groups.items():
            soft, hard = (
                begun + run.share(limit, SHARES[group] / left)
                for limit in (preset.soft_seconds, preset.hard_seconds)
            )
            left -= SHARES[group]
            file = work / f"{'partial-' if is_partial else ''}{group}.jsonl"
            measured = run.measure(group, workloads, file, soft, hard)
            _print_tables(group, measured)
    except UnusableError as error:
        sys.stderr.write(f"thywill: {error}\n")
        return 1
    if not is_partial:
        _write_page(work)
    return 0


class Run:
    """What one call of the command measures, group after group.

    Args:
        clock: tells how many seconds have passed.
    """

    def __init__(
        self,
        bench: Bench,
        systems: list[System],
        *,
        rounds: int,
        seconds: float,
        clock: Callable[[], float],
    ) -> None:
        self._bench, self._systems = bench, systems
        self._rounds, self._seconds, self._clock = rounds, seconds, clock
        self._missing: dict[str, str] = {}
        self._versions: dict[str, str] = {}

    def prepare(self) -> None:
        """Build the generator, install what can be installed, and say what is missing.

        Raises:
            UnusableError: nothing can be measured here.
        """
        if shutil.which("taskset") is None or (os.cpu_count() or 1) < 2:
            raise UnusableError("two cores and the program taskset are needed (Linux, util-linux)")
        self._generator = Generator(self._bench.work, os.environ.get("BENCH_CLIENT_CPU", "1"))
        for system in self._systems:
            reason = system.missing()
            if reason is None:
                self._versions[system.name] = system.version()
                self._tell(f"{system.name}: {self._versions[system.name]}")
            else:
                self._missing[system.name] = reason
                self._tell(f"{system.name} is left out: {reason}")

    def share(self, limit_seconds: float, part: float) -> float:
        """Seconds since the begin at which a part of the time that is left will have passed."""
        return self._clock() + max(0.0, limit_seconds - self._clock()) * part

    def measure(
        self, group: str, workloads: list[Workload], file: Path, soft_end: float, hard_end: float
    ) -> report.Measured:
        """Take turns; the times are those of the monotonic clock."""
        kinds = {workload.kind for workload in workloads}
        systems = [system for system in self._systems if system.kinds & kinds]
        present = [system for system in systems if system.name not in self._missing]
        names = {system.name for system in systems}
        rounds = min(self._rounds, 2) if group in SLOW_GROUPS else self._rounds
        self._tell(f"{report.HEADINGS[group]}: {len(present)} systems, {rounds} rounds")
        known = messages_of(file.read_text().splitlines() if file.exists() else (), self._seconds)
        file.write_text("")
        campaign = Campaign(
            self._generator,
            present,
            workloads,
            rounds,
            self._seconds,
            file,
            soft_end,
            hard_end,
            tell=lambda words: self._tell(f"{group}  {words}"),
            known_messages=known,
        )
        try:
            campaign.run()
        finally:  # an interrupted run leaves no servers behind
            for system in present:
                system.stop()
        facts = report.Facts(
            machine=machine.describe(),
            rounds=rounds,
            seconds=self._seconds,
            titles={system.name: system.title for system in systems},
            versions={name: words for name, words in self._versions.items() if name in names},
            missing={name: words for name, words in self._missing.items() if name in names},
            references=[system.name for system in systems if system.is_reference],
            ours=[system.name for system in systems if system.is_ours],
            loads=campaign.loads,
            day=datetime.datetime.now(datetime.UTC).date().isoformat(),
        )
        file.with_suffix(".json").write_text(json.dumps(vars(facts), indent=1))
        return report.Measured(results.read(file.read_text().splitlines()), facts)

    def _tell(self, words: str) -> None:
        minutes, seconds = divmod(int(self._clock()), 60)
        print(f"{minutes:2}:{seconds:02}  {words}", flush=True)


def _chosen_groups(
    only: str | None, workloads: str | None, *, is_short: bool
) -> dict[str, list[Workload]]:
    """Workloads by group; extra ones only by name."""
    if workloads:
        chosen = [WORKLOADS[name] for name in workloads.split(",")]
    else:
        groups = only.split(",") if only else list(GROUPS)
        for group in groups:
            if group not in GROUPS:
                raise KeyError(group)
        chosen = [each for each in WORKLOADS.values() if each.group in groups and not each.is_extra]
        if is_short:
            chosen = [each for each in chosen if each.is_in_short_runs]
    found: dict[str, list[Workload]] = {}
    for workload in chosen:
        found.setdefault(workload.group, []).append(workload)
    return found


def _chosen_systems(
    systems: dict[str, System],
    groups: dict[str, list[Workload]],
    names: str | None,
    *,
    is_short: bool,
) -> list[System]:
    if names:
        return [systems[name] for name in names.split(",")]
    kinds = {workload.kind for workloads in groups.values() for workload in workloads}
    chosen = [system for system in systems.values() if system.kinds & kinds]
    return [system for system in chosen if system.is_in_short_runs or not is_short]


def _print_tables(group: str, measured: report.Measured) -> None:
    rows = measured.rows
    if group == "growth" and rows:
        print("\n" + report.growth_section(rows, measured.facts))
        return
    for name in dict.fromkeys(row.workload for row in rows):
        print("\n" + report.section([row for row in rows if row.workload == name], measured.facts))


def _write_page(work: Path) -> None:
    """The page and the pictures, of all groups that have results here."""
    measured, charts = {}, {}
    for group in GROUPS:
        file = work / f"{group}.jsonl"
        if not (file.exists() and file.with_suffix(".json").exists()):
            continue
        facts = report.Facts(**json.loads(file.with_suffix(".json").read_text()))
        rows = results.read(file.read_text().splitlines())
        if not rows:
            continue
        measured[group] = report.Measured(rows, facts)
        drawn = chart.picture(group, report.HEADINGS[group], measured[group])
        if drawn is not None:
            path = IMAGES / f"benchmarks-{group}.svg"
            path.write_text(drawn)
            charts[group] = f"../images/{path.name}"
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(report.page(measured, charts))
    print(f"written: {PAGE.relative_to(ROOT)}")


def _list(systems: dict[str, System]) -> int:
    for workload in WORKLOADS.values():
        extra = " (only by name)" if workload.is_extra else ""
        print(f"{workload.name:<10} {workload.group:<8} {workload.sentence}{extra}")
    print()
    for system in systems.values():
        print(f"{system.name:<20} {system.title:<44} {', '.join(sorted(system.kinds))}")
    return 0


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("thywill: stopped"))
    sys.exit(main())
