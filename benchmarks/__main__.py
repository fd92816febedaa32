"""The command: ``python -m benchmarks``, which ``./run bench`` calls."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from benchmarks import baseline, chart, report, results
from benchmarks.generator import UnusableError
from benchmarks.run import FULL, SHORT, Preset, Run
from benchmarks.systems import everything
from benchmarks.systems.base import Bench, System
from benchmarks.workloads import GROUPS, GROWTH, WORKLOADS, Workload

HERE: Final = Path(__file__).parent
ROOT: Final = HERE.parent
PAGE: Final = ROOT / "documentation" / "reference" / "benchmarks.md"
IMAGES: Final = ROOT / "documentation" / "images"


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
    parser.add_argument("--rounds", type=int, help="how often, all systems alike")
    parser.add_argument(
        "--seconds", type=float, help=f"length of one run (default {FULL.seconds:g})"
    )
    parser.add_argument("--systems", help="only these, as in morbid,rabbitmq; writes no page")
    parser.add_argument("--workloads", help="only these, as in D1,E32; writes no page")
    parser.add_argument(
        "--baseline", metavar="COMMIT", help="measure ours at that commit too; writes no page"
    )
    parser.add_argument(
        "--add",
        action="store_true",
        help="keep what was measured at this revision, add these rounds to it, and write the page",
    )
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
    if arguments.report:
        _write_page(work)
        return 0
    if arguments.add and arguments.baseline:
        parser.error("--add and --baseline exclude each other")
    try:
        groups = _chosen_groups(arguments.only, arguments.workloads, is_short=arguments.short)
        wanted = _chosen_systems(systems, groups, arguments.systems, is_short=arguments.short)
    except KeyError as error:
        parser.error(f"{error.args[0]!r} is not known: --list says what there is")
    has_page = arguments.add or not (arguments.systems or arguments.workloads or arguments.baseline)
    try:
        if arguments.baseline:
            former = baseline.check_out(arguments.baseline, work)
            wanted = baseline.with_twins(wanted, former)
        run = Run(
            bench,
            wanted,
            _preset(arguments),
            is_added=arguments.add,
            prefix="" if has_page else "partial-",
        )
        run.prepare()
        for measured in run.measure(groups):
            _print_tables(measured)
            if arguments.baseline:
                print("\n" + baseline.comparison(measured.rows, former.label), flush=True)
            if has_page:
                _write_page(work)
    except UnusableError as error:
        sys.stderr.write(f"thywill: {error}\n")
        return 1
    return 0


def _preset(arguments: argparse.Namespace) -> Preset:
    preset = SHORT if arguments.short else FULL
    if arguments.seconds:
        preset = replace(preset, seconds=arguments.seconds)
    if arguments.rounds:
        rounds = dict.fromkeys(GROUPS, (arguments.rounds, arguments.rounds))
        preset = replace(preset, rounds=rounds)
    return preset


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


def _print_tables(measured: report.Measured) -> None:
    rows = measured.rows
    if not rows:
        return
    if WORKLOADS[rows[0].workload].group == GROWTH:
        print("\n" + report.growth_section(rows, measured.facts), flush=True)
        return
    for name in dict.fromkeys(row.workload for row in rows):
        chosen = [row for row in rows if row.workload == name]
        print("\n" + report.section(chosen, measured.facts), flush=True)


def _write_page(work: Path) -> None:
    """The page and the pictures, of all groups that have results here."""
    measured, charts = {}, {}
    for group in GROUPS:
        file = work / f"{group}.jsonl"
        if not (file.exists() and file.with_suffix(".json").exists()):
            continue
        facts = report.facts_of(file.with_suffix(".json").read_text())
        rows = results.read(file.read_text().splitlines())
        measured[group] = report.Measured(rows, facts)
        drawn = chart.picture(group, report.HEADINGS[group], measured[group])
        if drawn is not None:
            path = IMAGES / f"benchmarks-{group}.svg"
            path.write_text(drawn)
            charts[group] = f"../images/{path.name}"
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(report.page(measured, charts))
    print(f"written: {PAGE.relative_to(ROOT)}", flush=True)


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
