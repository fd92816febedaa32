"""Writes the page of the documentation that holds the figures."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from benchmarks.results import Row
from benchmarks.workloads import WORKLOADS

INTRODUCTION: Final = """\
# Benchmarks

<!-- Written by ./run bench. -->

How much CPU time a server spends for each message that it delivers, for this project and for
others, taken in one run on one machine. Ratios carry over to other machines; microseconds do not.
"""

READING: Final = """\
## How to read it

- **us** is CPU time of all server processes, in user mode and in the kernel, divided by the
  deliveries: the minimum of {rounds} rounds, because whatever else runs on the machine only adds.
  The median is beside it; where the two differ much, something else was running.
- **x** says how many times the figure of this project that is; more is worse.
- **Floors** are not brokers. They send frames of the same length to as many connections, and know
  no protocol: the system call alone, in C and from Python.
- Deliveries per second and latencies come second: the generator shares the machine. The server has
  one core, the generator the other. Messages have 100 bytes.
- A figure counts only if every message arrived once and in order. Where that is not so, the table
  says what happened in its place.
"""


@dataclass(frozen=True)
class Facts:
    """What is said beside the figures.

    Attributes:
        machine: what they were taken on.
        rounds: how many minima and medians are taken of.
        seconds: how long each run took.
        titles: of the systems, by name, in the order in which they are shown at most.
        versions: by name of the system.
        missing: by name of the system, why it is not there.
        references: names of the systems that are floors.
    """

    machine: str
    rounds: int
    seconds: float
    titles: Mapping[str, str]
    versions: Mapping[str, str]
    missing: Mapping[str, str] = field(default_factory=dict)
    references: frozenset[str] = frozenset()

    def joined_with(self, others: Iterable[Facts]) -> Facts:
        """Facts of several runs, of which this is the last."""
        runs = [*others, self]
        return replace(
            self,
            titles={name: title for run in runs for name, title in run.titles.items()},
            versions={name: words for run in runs for name, words in run.versions.items()},
            missing={name: words for run in runs for name, words in run.missing.items()},
            references=frozenset(name for run in runs for name in run.references),
        )


OURS: Final = {"stomp": "morbid", "web": "orbited-websocket"}
"""The system that others are compared with, by group of workloads."""

HEADINGS: Final = {
    "stomp": "STOMP over TCP",
    "web": "Push to browsers",
    "http": "HTTP request and response",
    "memory": "Memory for each idle connection",
}


def page(rows: Sequence[Row], facts: Facts, charts: Mapping[str, str]) -> str:
    """The whole page.

    Args:
        charts: for a group, the path of its picture from the page.
    """
    parts = [INTRODUCTION, f"Machine: {facts.machine}.\n"]
    present = {row.workload for row in rows}
    for group, heading in HEADINGS.items():
        names = [w.name for w in WORKLOADS.values() if w.group == group and w.name in present]
        if not names:
            continue
        parts.append(f"## {heading}\n")
        if group in charts:
            parts.append(f"![{heading}: CPU time for each delivery]({charts[group]})\n")
        for name in names:
            parts.append(section([row for row in rows if row.workload == name], facts))
    parts.append(READING.format(rounds=facts.rounds))
    parts.append(_what_was_measured(facts))
    return "\n".join(parts)


def section(rows: Sequence[Row], facts: Facts) -> str:
    """The table of one workload, the cheapest first, floors and failures at the end."""
    workload = WORKLOADS[rows[0].workload]
    if workload.mode == "hold":
        return _memory_section(rows, facts)
    ours = next((row for row in rows if row.system == OURS.get(workload.group)), None)
    base = ours.microseconds if ours else None
    name = _plain(facts.titles[ours.system]) if ours else ""
    head = f"### {workload.name}: {workload.sentence}\n\n"
    columns = ["system", "us", "median", f"x {name}" if base else "", "deliveries/s", "p50", "p99"]
    columns = [column for column in columns if column]
    lines = [_line(columns), _line(["---", *["---:"] * (len(columns) - 1)])]

    def order(row: Row) -> tuple[bool, bool, float]:
        return row.microseconds is None, row.system in facts.references, row.microseconds or 0

    for row in sorted(rows, key=order):
        title = facts.titles[row.system]
        if row.system in facts.references:
            title = f"*floor:* {title}"
        if row.microseconds is None:
            lines.append(_line([title, f"fails: {row.fault}", *[""] * (len(columns) - 2)]))
            continue
        cells = [title, _figure(row.microseconds), _figure(row.median_microseconds)]
        if base:
            cells.append(_figure(row.microseconds / base))
        cells += [f"{row.per_second:,.0f}", _time(row.p50_microseconds)]
        lines.append(_line([*cells, _time(row.p99_microseconds)]))
    notes = [f"{facts.titles[row.system]}: {row.fault}." for row in rows if _is_flawed(row)]
    return head + "\n".join(lines) + "\n" + "".join(f"\n{note}\n" for note in notes)


def _memory_section(rows: Sequence[Row], facts: Facts) -> str:
    stages = sorted({number for row in rows for number in row.kilobytes})
    columns = ["system", *(f"kB at {number:,}" for number in stages)]
    lines = [_line(columns), _line(["---", *["---:"] * len(stages)])]
    for row in sorted(rows, key=lambda row: max(row.kilobytes.values(), default=float("inf"))):
        cells = [f"{size:.1f}" for _, size in sorted(row.kilobytes.items())]
        cells = cells or [f"fails: {row.fault}", *[""] * (len(stages) - 1)]
        lines.append(_line([facts.titles[row.system], *cells]))
    return "\n".join(lines) + "\n"


def _what_was_measured(facts: Facts) -> str:
    lines = ["## What was measured\n"]
    lines += [f"- {facts.titles[name]}: {version}" for name, version in facts.versions.items()]
    lines += [f"- {facts.titles[name]}: {reason}" for name, reason in facts.missing.items()]
    lines.append(f"\nEach of {facts.rounds} rounds starts every system anew and runs each workload")
    lines.append(f"for about {facts.seconds:g} s after a warm-up.")
    return "\n".join(lines) + "\n"


def _is_flawed(row: Row) -> bool:
    return bool(row.fault) and row.microseconds is not None


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _plain(title: str) -> str:
    return title.replace("*", "").replace("`", "")


def _figure(number: float) -> str:
    """Three digits, or as many as stand before the point."""
    digits = 2 if number < 10 else 1 if number < 100 else 0
    return f"{number:.{digits}f}"


def _time(microseconds: float) -> str:
    if microseconds >= 1000:
        return f"{_figure(microseconds / 1000)} ms"
    return f"{microseconds:.0f} us"
