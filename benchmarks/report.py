"""Writes the page of the documentation that holds the figures."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, Final

from benchmarks import goals
from benchmarks.results import Ratio, Row, ratio
from benchmarks.workloads import GROUPS, GROWTH, WORKLOADS

INTRODUCTION: Final = """\
# Benchmarks

<!-- Written by ./run bench. -->

How much CPU time a server spends for each message that it delivers, for this project and for
others, taken in turn on one machine. Ratios carry over to other machines; microseconds
do not. In bold is what this project ships, with its checks on and its default settings.
"""

GOALS: Final = """\
## Goals

What this project wants to reach, and what was measured. A cost is the cheapest of the rounds, and
a latency the lowest; a rate is the highest. A ratio is the median of those of the rounds, whose
range is beside it, followed by the cheapest of both. {met} of {all} are met.
"""

SEVERAL_REVISIONS: Final = """\
**The groups were not all measured at one revision**: each says at which.
"""

READING: Final = """\
## How to read it

- **us** is CPU time of all server processes, in user mode and in the kernel, divided by the
  deliveries: the minimum of the rounds, because whatever else runs on the machine only adds.
  The median is beside it; where the two differ much, something else was running.
- **x** says how many times the figure of another system that is; more is worse. It is the median
  of the ratios of those rounds that had both: the speed of a processor changes from minute to
  minute, for all alike. So it need not be the quotient of two figures in the table.
- **Floors** are not products. They send frames of the same length to as many connections and know
  no protocol: the system call alone, in C and from Python. *Sessions on Twisted* do speak the
  protocols, written plainly, without checks, bounds or timers. Where this project costs less than
  they do, it has found a shorter way.
- Deliveries per second and latencies come second: the generator shares the machine. The server has
  one core, the generator the other. Messages have 100 bytes.
- A figure counts only if every message arrived once and in order. Where that is not so, the table
  says what happened in its place.
- A subscriber of this project is a browser's session with a STOMP subscription of its own inside.
  Whoever publishes does so over STOMP by TCP, as the site does. nchan's publisher waits for the
  answer to each POST, so that never more than one of its messages is in flight.
- In P32, thywill and Django alone look up the session and check a CSRF token, as a
  site does; the views of Starlette and Channels do none of that. thywill finds sessions, which
  both keep in the same table, by an engine of its own, and Django alone by Django's.
"""


@dataclass(frozen=True)
class Facts:
    """What is said beside the figures of one group.

    Attributes:
        machine: what they were taken on.
        rounds: how many minima and medians are taken of, at most.
        seconds: how long each run took.
        titles: of the systems, by name.
        versions: by name of the system.
        missing: by name of the system, why it is not there.
        references: names of the systems that are floors.
        ours: names of the systems that belong to this project.
        passes: of each round its number ``round``, ``at`` what time it began, and the load average
            of the machine at its ``begin`` and its ``end``.
        revision: of this project.
        trouble: what broke the group off, if anything did.
        day: when, as 2026-01-31.
    """

    machine: str
    rounds: int
    seconds: float
    titles: Mapping[str, str]
    versions: Mapping[str, str]
    missing: Mapping[str, str] = field(default_factory=dict)
    references: Sequence[str] = ()
    ours: Sequence[str] = ()
    passes: Sequence[Mapping[str, Any]] = ()
    revision: str = ""
    trouble: str = ""
    day: str = ""


def facts_of(text: str) -> Facts:
    """What was kept as JSON, by this version or by a former one."""
    known = {each.name for each in fields(Facts)}
    return Facts(**{name: value for name, value in json.loads(text).items() if name in known})


@dataclass(frozen=True)
class Measured:
    """One group of workloads."""

    rows: Sequence[Row]
    facts: Facts


HEADINGS: Final = {
    "web": "Push to browsers",
    "growth": "More and more subscribers",
    "post": "A whole site: POST to Django, and push",
    "stomp": "STOMP over TCP",
    "http": "One round of HTTP",
    "memory": "Memory for each idle connection",
}

RATIOS: Final = {
    "web": (("raw-c-send", "x `send()` in C"), ("orbited-websocket", "x our WebSocket")),
    "post": (("plain-gunicorn", "x Django alone"),),
    "stomp": (("raw-c-send", "x `send()` in C"), ("morbid", "x morbid")),
}
"""The systems that others are compared with, and the heads of their columns."""


def page(measured: Mapping[str, Measured], charts: Mapping[str, str]) -> str:
    """The whole page.

    Args:
        measured: by group.
        charts: for a group, the path of its picture from the page.
    """
    machines = sorted({each.facts.machine for each in measured.values()})
    parts = [INTRODUCTION, f"Machine: {'; '.join(machines)}.\n"]
    if len({each.facts.revision for each in measured.values()}) > 1:
        parts.append(SEVERAL_REVISIONS)
    parts.append(goals_section([row for each in measured.values() for row in each.rows]))
    for group in GROUPS:
        if group not in measured:
            continue
        rows, facts = measured[group].rows, measured[group].facts
        heading = HEADINGS[group]
        parts += [f"## {heading}\n", _when(rows, facts)]
        if not rows:
            continue
        if group in charts:
            parts.append(f"![{heading}]({charts[group]})\n")
        if group == GROWTH:
            parts.append(growth_section(rows, facts))
            continue
        for name in dict.fromkeys(row.workload for row in rows):
            parts.append(section([row for row in rows if row.workload == name], facts))
    parts.append(READING)
    parts.append(_what_was_measured(measured))
    return "\n".join(parts)


def goals_section(rows: Iterable[Row]) -> str:
    """The table of what is wanted."""
    outcomes = goals.outcomes(rows)
    lines = [_line(["goal", "measured", "met"]), _line(["---", "---", "---"])]
    words = {True: "yes", False: "**no**", None: "-"}
    lines += [_line([each.goal, each.measured, words[each.is_met]]) for each in outcomes]
    met = sum(each.is_met is True for each in outcomes)
    known = sum(each.is_met is not None for each in outcomes)
    return GOALS.format(met=met, all=known) + "\n" + "\n".join(lines) + "\n"


def section(rows: Sequence[Row], facts: Facts) -> str:
    """The table of one workload, the cheapest first, floors and failures at the end."""
    workload = WORKLOADS[rows[0].workload]
    if workload.mode == "hold":
        return _memory_section(rows, facts)
    costs = {row.system: row for row in rows if row.microseconds}
    ratios = [each for each in RATIOS.get(workload.group, ()) if each[0] in costs]
    head = f"### {workload.name}: {workload.sentence}\n\n"
    columns = ["system", "us", "median", *(words for _, words in ratios)]
    columns += ["deliveries/s", "p50", "p99"]
    lines = [_line(columns), _line(["---", *["---:"] * (len(columns) - 1)])]
    for row in _in_order(rows, facts):
        title = title_of(row, facts)
        if row.microseconds is None:
            lines.append(_line([title, f"fails: {row.fault}", *[""] * (len(columns) - 2)]))
            continue
        cells = [title, _figure(row.microseconds), _figure(row.median_microseconds)]
        cells += [_times(ratio(row, costs[name])) for name, _ in ratios]
        cells += [f"{row.per_second:,.0f}", _time(row.p50_microseconds)]
        lines.append(_line([*cells, _time(row.p99_microseconds)]))
    flawed = [row for row in rows if row.fault and row.microseconds is not None]
    return head + "\n".join(lines) + "\n" + _notes(flawed, facts)


def growth_section(rows: Sequence[Row], facts: Facts) -> str:
    """One table for all: systems down, numbers of subscribers across."""
    names = [name for name in WORKLOADS if any(row.workload == name for row in rows)]
    found = {(row.workload, row.system): row for row in rows}
    columns = ["us for each delivery", *(WORKLOADS[name].sentence for name in names)]
    lines = [_line(columns), _line(["---", *["---:"] * len(names)])]
    first: dict[str, Row] = {}
    for row in rows:
        first.setdefault(row.system, row)
    for row in _in_order(list(first.values()), facts):
        cells = []
        for name in names:
            each = found.get((name, row.system))
            known = each is not None and each.microseconds is not None
            cells.append(_figure(each.microseconds) if known and each else "-")
        lines.append(_line([title_of(row, facts), *cells]))
    failed = [row for row in rows if row.fault]
    return "\n".join(lines) + "\n" + _notes(failed, facts)


def title_of(row: Row, facts: Facts) -> str:
    """Name of a system, and whether it is a floor."""
    title = facts.titles[row.system]
    return f"*floor:* {title}" if row.system in facts.references else title


def plain(title: str) -> str:
    """A title without marks."""
    return title.replace("*", "").replace("`", "")


def _in_order(rows: Sequence[Row], facts: Facts) -> list[Row]:
    def order(row: Row) -> tuple[bool, bool, float]:
        return row.microseconds is None, row.system in facts.references, row.microseconds or 0

    return sorted(rows, key=order)


def _notes(rows: Sequence[Row], facts: Facts) -> str:
    """Lines for those that failed, or did so in one of the rounds."""
    return "".join(
        f"\n{row.workload}, {plain(facts.titles[row.system])}: {row.fault}.\n" for row in rows
    )


def _memory_section(rows: Sequence[Row], facts: Facts) -> str:
    stages = sorted({number for row in rows for number in row.kilobytes})
    columns = ["system", *(f"kB at {number:,}" for number in stages)]
    lines = [_line(columns), _line(["---", *["---:"] * len(stages)])]
    for row in sorted(rows, key=lambda row: max(row.kilobytes.values(), default=float("inf"))):
        cells = [f"{size:.2f}" for _, size in sorted(row.kilobytes.items())]
        cells = cells or [f"fails: {row.fault}", *[""] * (len(stages) - 1)]
        lines.append(_line([title_of(row, facts), *cells]))
    return "\n".join(lines) + "\n"


def _when(rows: Sequence[Row], facts: Facts) -> str:
    """How it was measured, and what else went on."""
    trouble = f" Broken off: {facts.trouble}." if facts.trouble else ""
    if not rows:
        return f"Nothing was measured.{trouble}\n"
    fewest, most = (f(row.runs for row in rows) for f in (min, max))
    rounds = f"{most} round{'s' if most > 1 else ''}"
    words = f"Revision {facts.revision}, " if facts.revision else ""
    words += f"{facts.day}, " if facts.day else ""
    words += rounds if fewest == most else f"{fewest} to {rounds} of each system"
    words += f", {facts.seconds:g} s for each run"
    longer = [
        f"{workload.name} {workload.length:g} times as long"
        + (f", or {workload.first_messages} messages" if workload.has_fixed_messages else "")
        for workload in (WORKLOADS[name] for name in dict.fromkeys(row.workload for row in rows))
        if workload.length != 1
    ]
    if longer:
        words += f" ({', '.join(longer)})"
    if facts.passes:
        loads = ", ".join(
            f"{each['begin']:.1f} to {each['end']:.1f} (begun {each['at']})"
            for each in facts.passes
        )
        words += f"; load average from begin to end of each round: {loads}"
    noises = sorted(row.noise for row in rows if row.microseconds is not None)
    if noises:
        noise = max(0.0, noises[len(noises) // 2])
        words += f"; other programs used {noise:.2f} of the machine's cores meanwhile"
        if noise > 0.2:
            words += ". **The machine also ran other work**: rates and latencies suffer from it"
    return f"{words}.{trouble}\n"


def _what_was_measured(measured: Mapping[str, Measured]) -> str:
    titles, versions, missing = {}, {}, {}
    present = {row.system for each in measured.values() for row in each.rows}
    for each in measured.values():
        titles.update(each.facts.titles)
        versions.update(each.facts.versions)
        missing.update(each.facts.missing)
    lines = ["## What was measured\n"]
    for name, version in versions.items():
        absent = "" if name in present else "; not measured, no time was left"
        lines.append(f"- {titles[name]}: {version}{absent}")
    lines += [f"- {titles[name]}: not here, {reason}" for name, reason in missing.items()]
    return "\n".join(lines) + "\n"


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _times(known: Ratio | None) -> str:
    return _figure(known.median) if known else "-"


def _figure(number: float) -> str:
    """Three digits, or as many as stand before the point."""
    digits = 2 if number < 10 else 1 if number < 100 else 0
    return f"{number:.{digits}f}"


def _time(microseconds: float) -> str:
    if microseconds >= 1000:
        return f"{_figure(microseconds / 1000)} ms"
    return f"{microseconds:.0f} us"
