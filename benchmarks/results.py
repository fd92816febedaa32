"""What the runs say: lines of JSON in, one row for each workload and system out."""

from __future__ import annotations

import json
import statistics
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from benchmarks.campaign import fault
from benchmarks.generator import Figures


@dataclass(frozen=True)
class Row:
    """One system under one workload.

    Attributes:
        microseconds: server CPU for each delivery, the minimum of the rounds; None if it failed.
        median_microseconds: the median of them.
        user_share: how much of that is spent outside of the kernel.
        per_second: deliveries, the median.
        p50_microseconds: latency, the median of the rounds.
        p99_microseconds: likewise.
        runs: how many there were.
        fault: what went wrong, if anything did, in any of them.
        kilobytes: by number of idle connections, what each of them takes, the minimum.
        best_per_second: deliveries in the best round, for the goals.
        best_p50_microseconds: likewise.
        best_p99_microseconds: likewise.
        noise: CPU that other programs took meanwhile, in cores, the median.
        by_round: by number of the round, the microseconds of those that went well.
    """

    system: str
    workload: str
    microseconds: float | None
    median_microseconds: float = 0.0
    user_share: float = 0.0
    per_second: float = 0.0
    p50_microseconds: float = 0.0
    p99_microseconds: float = 0.0
    runs: int = 0
    fault: str = ""
    kilobytes: Mapping[int, float] = field(default_factory=dict)
    best_per_second: float = 0.0
    best_p50_microseconds: float = 0.0
    best_p99_microseconds: float = 0.0
    noise: float = 0.0
    by_round: Mapping[int, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Ratio:
    """How many times the figure of another system a figure is.

    Attributes:
        median: of the rounds.
        lowest: of them.
        highest: of them.
        rounds: how many had both systems; 0 when it is the quotient of the minima, for want of any.
    """

    median: float
    lowest: float
    highest: float
    rounds: int


def ratio(mine: Row, other: Row) -> Ratio | None:
    """Compare two systems under one workload, round by round.

    What a processor does in a microsecond changes from minute to minute, and for all alike: so each
    figure is divided by that of the same round.

    Returns:
        None when one of them has no figure.
    """
    if not mine.microseconds or not other.microseconds:
        return None
    both = sorted(
        cost / other.by_round[number]
        for number, cost in mine.by_round.items()
        if other.by_round.get(number)
    )
    if not both:
        quotient = mine.microseconds / other.microseconds
        return Ratio(quotient, quotient, quotient, 0)
    return Ratio(statistics.median(both), both[0], both[-1], len(both))


def read(lines: Iterable[str]) -> list[Row]:
    """Sum up the lines of result files, in the order of first appearance."""
    runs: dict[tuple[str, str], list[Figures]] = {}
    for line in lines:
        figures: Figures = json.loads(line)
        runs.setdefault((figures["workload"], figures["system"]), []).append(figures)
    return [_row(system, workload, each) for (workload, system), each in runs.items()]


def _row(system: str, workload: str, runs: list[Figures]) -> Row:
    faults = [fault(figures) for figures in runs if not figures["ok"]]
    if not faults and "base_kilobytes" in runs[0]:
        return Row(system, workload, None, runs=len(runs), kilobytes=_kilobytes(runs))
    good = [figures for figures in runs if figures["ok"] and "us_per_delivery" in figures]
    if not good:
        words = faults[0] if faults else "nothing was measured"
        return Row(system, workload, None, runs=len(runs), fault=words)

    def median(name: str) -> float:
        return float(statistics.median(figures[name] for figures in good))

    total = sum(figures["cpu_s"] for figures in good)
    return Row(
        system,
        workload,
        microseconds=min(figures["us_per_delivery"] for figures in good),
        median_microseconds=median("us_per_delivery"),
        user_share=sum(figures["cpu_user"] for figures in good) / total if total else 0.0,
        per_second=median("rate"),
        p50_microseconds=median("p50_us"),
        p99_microseconds=median("p99_us"),
        runs=len(runs),
        fault=f"{len(faults)} of {len(runs)} runs failed: {faults[0]}" if faults else "",
        best_per_second=max(figures["rate"] for figures in good),
        best_p50_microseconds=min(figures["p50_us"] for figures in good),
        best_p99_microseconds=min(figures["p99_us"] for figures in good),
        noise=median("noise"),
        by_round={
            figures["round"]: figures["us_per_delivery"] for figures in good if "round" in figures
        },
    )


def _kilobytes(runs: list[Figures]) -> dict[int, float]:
    names = [name for name in runs[0] if name.startswith("kilobytes_")]
    return {int(name.rpartition("_")[2]): min(figures[name] for figures in runs) for name in names}
