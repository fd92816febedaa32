"""The command: ``python -m benchmarks``, which ``./run bench`` calls."""

from __future__ import annotations

import argparse
import json
import math
import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from benchmarks import chart, machine, report, results
from benchmarks.campaign import Campaign
from benchmarks.generator import Generator, UnusableError
from benchmarks.systems import everything
from benchmarks.systems.base import Bench, System
from benchmarks.workloads import GROUPS, WORKLOADS, Workload

HERE: Final = Path(__file__).parent
ROOT: Final = HERE.parent
PAGE: Final = ROOT / "documentation" / "reference" / "benchmarks.md"
IMAGES: Final = ROOT / "documentation" / "images"
FULL: Final = {"rounds": 5, "seconds": 2.0, "budget_seconds": math.inf}
SHORT: Final = {"rounds": 2, "seconds": 0.7, "budget_seconds": 240.0}


def build_parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="./run bench",
        description="Measure what delivering a message costs, for this project and for others. "
        "A run of everything is written into documentation/reference/benchmarks.md.",
        epilog="Results are kept in benchmarks/work/, a line of JSON for each run.",
    )
    parser.add_argument("--list", action="store_true", help="say what there is, and end")
    parser.add_argument("--short", action="store_true", help="two rounds: within five minutes")
    parser.add_argument("--rounds", type=int, help=f"how often (default {FULL['rounds']})")
    parser.add_argument(
        "--seconds", type=float, help=f"length of one run (default {FULL['seconds']:g})"
    )
    parser.add_argument("--group", default="stomp", choices=GROUPS, help="default: stomp")
    parser.add_argument("--systems", help="only these, as in morbid,rabbitmq; writes no page")
    parser.add_argument("--workloads", help="only these, as in D1,E32; writes no page")
    parser.add_argument("--report", action="store_true", help="write the page from the last run")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run it; returns the exit status."""
    parser = build_parser()
    arguments = parser.parse_args(argv)
    work = HERE / "work"
    work.mkdir(exist_ok=True)
    bench = Bench(work, os.environ.get("BENCH_SERVER_CPU", "0"))
    systems = everything(bench)
    if arguments.list:
        return _list(systems)
    preset = SHORT if arguments.short else FULL
    rounds = arguments.rounds or int(preset["rounds"])
    seconds = arguments.seconds or preset["seconds"]
    try:
        workloads = _chosen_workloads(arguments.group, arguments.workloads)
        wanted = _chosen_systems(systems, workloads, arguments.systems)
        if arguments.short and not arguments.systems:
            wanted = [system for system in wanted if system.is_in_short_runs]
    except KeyError as error:
        parser.error(f"{error.args[0]!r} is not known: --list says what there is")
    is_whole = not (arguments.systems or arguments.workloads)
    results_file = work / f"{arguments.group if is_whole else 'partial'}.jsonl"
    facts_file = results_file.with_suffix(".json")
    if arguments.report:
        _write(work, arguments.group)
        return 0
    try:
        facts = _run(
            bench, wanted, workloads, rounds, seconds, preset["budget_seconds"], results_file
        )
    except UnusableError as error:
        sys.stderr.write(f"thywill: {error}\n")
        return 1
    facts_file.write_text(json.dumps({**vars(facts), "references": sorted(facts.references)}))
    rows = results.read(results_file.read_text().splitlines())
    for workload in workloads:
        if table := [row for row in rows if row.workload == workload.name]:
            print("\n" + report.section(table, facts))
    if is_whole:
        _write(work, arguments.group)
    return 0


def _run(
    bench: Bench,
    systems: list[System],
    workloads: list[Workload],
    rounds: int,
    seconds: float,
    budget_seconds: float,
    results_file: Path,
) -> report.Facts:
    if shutil.which("taskset") is None or (os.cpu_count() or 1) < 2:
        raise UnusableError("two cores and the program taskset are needed (Linux, util-linux)")
    generator = Generator(bench.work, os.environ.get("BENCH_CLIENT_CPU", "1"))
    missing = {}
    for system in systems:
        if (reason := system.missing()) is not None:
            print(f"{system.name}: {reason}")
            missing[system.name] = reason
    present = [system for system in systems if system.name not in missing]
    facts = report.Facts(
        machine=machine.describe(),
        rounds=rounds,
        seconds=seconds,
        titles={system.name: system.title for system in systems},
        versions={system.name: system.version() for system in present},
        missing=missing,
        references=frozenset(system.name for system in systems if system.is_reference),
    )
    results_file.write_text("")
    Campaign(generator, present, workloads, rounds, seconds, results_file, budget_seconds).run()
    return facts


def _chosen_workloads(group: str, names: str | None) -> list[Workload]:
    if names:
        return [WORKLOADS[name] for name in names.split(",")]
    return [workload for workload in WORKLOADS.values() if workload.group == group]


def _chosen_systems(
    systems: dict[str, System], workloads: list[Workload], names: str | None
) -> list[System]:
    if names:
        return [systems[name] for name in names.split(",")]
    kinds = {workload.kind for workload in workloads}
    return [system for system in systems.values() if system.kinds & kinds]


def _write(work: Path, group: str) -> None:
    """The page with all groups that have been run here, and the picture of this one."""
    kept = {name: work / f"{name}.jsonl" for name in GROUPS}
    kept = {name: path for name, path in kept.items() if path.with_suffix(".json").exists()}
    rows = {name: results.read(path.read_text().splitlines()) for name, path in kept.items()}
    facts = {name: _read_facts(path) for name, path in kept.items()}
    pictures = {name: IMAGES / f"benchmarks-{name}.svg" for name in kept}
    if any(row.microseconds for row in rows[group]):
        title, ours = report.HEADINGS[group], report.OURS.get(group, "")
        pictures[group].write_text(chart.draw(title, rows[group], facts[group], ours))
    links = {name: f"../images/{path.name}" for name, path in pictures.items() if path.exists()}
    others = [each for name, each in facts.items() if name != group]
    every_row = [row for each in rows.values() for row in each]
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(report.page(every_row, facts[group].joined_with(others), links))
    print(f"written: {PAGE.relative_to(ROOT)}")


def _read_facts(results_file: Path) -> report.Facts:
    kept = json.loads(results_file.with_suffix(".json").read_text())
    return report.Facts(**{**kept, "references": frozenset(kept["references"])})


def _list(systems: dict[str, System]) -> int:
    for workload in WORKLOADS.values():
        print(f"{workload.name:<10} {workload.group:<8} {workload.sentence}")
    print()
    for system in systems.values():
        print(f"{system.name:<24} {system.title:<44} {', '.join(sorted(system.kinds))}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
