"""The goals of this project for speed, and what a run says about each.

Costs are minima of the rounds, and so are latencies; a rate is the best round's. A ratio is the
median of the ratios of the rounds, each to another system in the same round.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from benchmarks.results import Ratio, Row, ratio

Rows = Mapping[tuple[str, str], Row]
"""By names of workload and system."""

FLOOR: Final = "raw-c-send"
TRANSPORTS: Final = {
    "orbited-websocket": "WebSocket",
    "orbited-sse": "server-sent events",
    "orbited-xhrstream": "XHR streaming",
    "orbited-longpoll": "long polling",
}
BROKERS: Final = ("rabbitmq", "coilmq", "activemq")
MILLISECOND: Final = 1000.0


@dataclass(frozen=True)
class Outcome:
    """One line of the table.

    Attributes:
        is_met: None when something that it takes was not measured.
    """

    goal: str
    measured: str
    is_met: bool | None


@dataclass(frozen=True)
class Goal:
    """What is wanted, and who decides.

    Attributes:
        judge: gives what was measured in words, and whether that is enough.
    """

    sentence: str
    judge: Callable[[Rows], tuple[str, bool]]

    def outcome(self, rows: Rows) -> Outcome:
        """Look it up."""
        try:
            measured, is_met = self.judge(rows)
        except KeyError:
            return Outcome(self.sentence, "not measured", None)
        return Outcome(self.sentence, measured, is_met)


def outcomes(rows: Iterable[Row]) -> list[Outcome]:
    """All goals, in order."""
    found = {(row.workload, row.system): row for row in rows}
    return [goal.outcome(found) for goal in GOALS]


def _cost(rows: Rows, workload: str, system: str) -> float:
    microseconds = rows[workload, system].microseconds
    if microseconds is None:
        raise KeyError(system)
    return microseconds


def _ratio(rows: Rows, mine: tuple[str, str], other: tuple[str, str]) -> Ratio:
    found = ratio(rows[mine], rows[other])
    if found is None:
        raise KeyError(other)
    return found


def _times(workload: str, system: str, limit: float, other: str, words: str) -> Goal:
    """At most so many times what another system costs."""

    def judge(rows: Rows) -> tuple[str, bool]:
        mine, theirs = _cost(rows, workload, system), _cost(rows, workload, other)
        known = _ratio(rows, (workload, system), (workload, other))
        digits = 3 if known.median < 0.1 else 2
        words = f"{mine:.2f} / {theirs:.2f} us"
        if known.rounds > 1:
            words = f"{known.lowest:.{digits}f} to {known.highest:.{digits}f}; {words}"
        return f"{known.median:.{digits}f} ({words})", known.median <= limit

    return Goal(words, judge)


def _microseconds(workload: str, system: str, limit: float, name: str) -> Goal:
    def judge(rows: Rows) -> tuple[str, bool]:
        mine = _cost(rows, workload, system)
        return f"{mine:.2f} us", mine <= limit

    return Goal(f"{workload}, {name}: at most {limit:g} us", judge)


def _below_brokers(workload: str) -> Goal:
    """Below every broker that was measured."""

    def judge(rows: Rows) -> tuple[str, bool]:
        mine = _cost(rows, workload, "morbid")
        measured = [rows[workload, name] for name in BROKERS if (workload, name) in rows]
        others = [row.microseconds for row in measured if row.microseconds is not None]
        if not others:
            raise KeyError(workload)
        return f"{mine:.2f}, the next {min(others):.2f} us", mine < min(others)

    return Goal(f"{workload}: below every broker measured", judge)


def _rate(workload: str, system: str, name: str, millions: float) -> Goal:
    def judge(rows: Rows) -> tuple[str, bool]:
        rate = rows[workload, system].best_per_second / 1e6
        return f"{rate:.2f} million/s", rate >= millions

    return Goal(f"{workload}, {name}: {millions:g} million deliveries a second", judge)


def _growth(small: str, large: str, system: str, name: str) -> Goal:
    def judge(rows: Rows) -> tuple[str, bool]:
        mine = _ratio(rows, (large, system), (small, system))
        floor = _ratio(rows, (large, FLOOR), (small, FLOOR))
        return f"{mine.median:.2f} (`send()` in C: {floor.median:.2f})", mine.median <= 1.3

    words = f"{small} to {large}, {name}: a delivery at most 1.3 times dearer"
    return Goal(words, judge)


def _latency(system: str, name: str) -> Goal:
    """Half of the deliveries, and 99 of 100, within twice the floor or 1.5 ms."""

    def judge(rows: Rows) -> tuple[str, bool]:
        mine, floor = rows["R100", system], rows["R100", FLOOR]
        if mine.microseconds is None or floor.microseconds is None:
            raise KeyError(system)
        pairs = (
            (mine.best_p50_microseconds, floor.best_p50_microseconds),
            (mine.best_p99_microseconds, floor.best_p99_microseconds),
        )
        words = ", ".join(f"{ours / 1000:.2f} / {theirs / 1000:.2f} ms" for ours, theirs in pairs)
        return words, all(ours <= max(2 * low, 1.5 * MILLISECOND) for ours, low in pairs)

    return Goal(f"R100, {name}: p50 and p99 within twice `send()` in C, or 1.5 ms", judge)


def _kilobytes(system: str, name: str) -> Goal:
    def judge(rows: Rows) -> tuple[str, bool]:
        sizes = rows["C", system].kilobytes
        if not sizes:
            raise KeyError(system)
        words = ", ".join(f"{size:.2f} at {number:,}" for number, size in sorted(sizes.items()))
        return f"{words} (kB)", all(size <= 5 for size in sizes.values())

    return Goal(f"C, {name}: at most 5 kB for each idle connection", judge)


def _all() -> Iterable[Goal]:
    ours = list(TRANSPORTS.items())
    limits = {"A100w1": (1.55, 2.05, 2.05, 3.6), "A1000w1": (1.65, 2.15, 2.15, 4.2)}
    limits["B32"] = (3, 6, 6, 7.5)
    for workload in ("A100w1", "A1000w1"):
        for (system, name), limit in zip(ours, limits[workload], strict=True):
            words = f"{workload}, {name}: at most {limit:g} x `send()` in C"
            yield _times(workload, system, limit, FLOOR, words)
    socket = "orbited-websocket"
    yield _times("A1000w1", socket, 1, "nchan", "A1000w1, WebSocket: less than nchan")
    words = "A1000w1, WebSocket: 34 times less than Channels (at most 0.029)"
    yield _times("A1000w1", socket, 1 / 34, "channels-memory", words)
    for workload, limit in (("A100", 0.6), ("A1000", 0.7)):
        for system, name in ours:
            yield _microseconds(workload, system, limit, name)
    for workload in ("A100", "A1000"):
        for system, name in ours[:1]:
            yield _rate(workload, system, name, 1.4)
    for small, large in (("G100w1", "G10000w1"), ("G100", "G10000")):
        for system, name in ours:
            yield _growth(small, large, system, name)
    for (system, name), limit in zip(ours, limits["B32"], strict=True):
        words = f"B32, {name}: at most {limit:g} x `send()` in C"
        yield _times("B32", system, limit, FLOOR, words)
    yield _times("B32", socket, 1, "starlette", "B32, WebSocket: less than Starlette")
    yield _times("B32", socket, 1, "node-socketio", "B32, WebSocket: less than Socket.IO on Node")
    for system, name in ours:
        yield _latency(system, name)
    for system, name in ours:
        yield _kilobytes(system, name)
    for workload, limit in (("D1", 3.5), ("D1w1", 48), ("D100", 0.5), ("E32", 15)):
        yield _microseconds(workload, "morbid", limit, "morbid")
        yield _below_brokers(workload)
    for system, plain, name in (
        ("site-gunicorn", "plain-gunicorn", "gunicorn"),
        ("site-one", "plain-one", "one process"),
    ):
        words = f"P32, {name}: at most 1.25 x the same view without thywill"
        yield _times("P32", system, 1.25, plain, words)
        words = f"P32, {name}: a fifth of Channels"
        yield _times("P32", system, 0.2, "channels-memory", words)
    yield _microseconds("L32", "orbited-longpoll", 20, "a round of long polling")


GOALS: Final = list(_all())
"""All of them, in the order of the table."""
