"""What a run says about the goals."""

import pytest

from benchmarks.goals import GOALS, TRANSPORTS, outcomes
from benchmarks.report import goals_section
from benchmarks.results import Row
from benchmarks.systems import everything
from benchmarks.systems.base import Bench
from benchmarks.workloads import WORKLOADS


def verdict(rows: list[Row], sentence: str) -> tuple[str, bool | None]:
    """What is said about the one goal that begins so."""
    (found,) = [each for each in outcomes(rows) if each.goal.startswith(sentence)]
    return found.measured, found.is_met


@pytest.mark.parametrize(("cost", "is_met"), [(6.2, True), (6.3, False)])
def test_ratio_is_to_the_floor_of_the_same_run(cost: float, is_met: bool) -> None:
    """A cost is compared with send() in C, measured beside it."""
    rows = [Row("orbited-websocket", "A100w1", cost), Row("raw-c-send", "A100w1", 4.0)]
    measured, is_good = verdict(rows, "A100w1, WebSocket: at most 1.55")
    assert measured == f"{cost / 4:.2f} ({cost:.2f} / 4.00 us)"
    assert is_good is is_met


def test_what_was_not_measured_is_neither_met_nor_missed() -> None:
    """Without one of the two figures there is no verdict."""
    rows = [Row("orbited-websocket", "A100w1", 5.0), Row("raw-c-send", "A100w1", None, fault="x")]
    assert verdict(rows, "A100w1, WebSocket: at most 1.55") == ("not measured", None)
    assert all(each.is_met is None for each in outcomes([]))


def test_broker_is_compared_with_the_cheapest_of_the_others() -> None:
    """Below every broker means below the best of those that worked."""
    rows = [Row("morbid", "D1", 4.0), Row("rabbitmq", "D1", 60.0), Row("activemq", "D1", 5.0)]
    rows.append(Row("coilmq", "D1", None, fault="fails"))
    assert verdict(rows, "D1: below") == ("4.00, the next 5.00 us", True)


@pytest.mark.parametrize(("p99", "is_met"), [(1400.0, True), (3900.0, True), (4100.0, False)])
def test_latency_may_be_short_or_near_the_floor(p99: float, is_met: bool) -> None:
    """1.5 ms is good enough, and so is twice what send() in C takes."""

    def row(system: str, tail: float) -> Row:
        return Row(system, "R100", 5.0, best_p50_microseconds=300.0, best_p99_microseconds=tail)

    rows = [row("orbited-sse", p99), row("raw-c-send", 2000.0)]
    measured, is_good = verdict(rows, "R100, server-sent events")
    assert measured == f"0.30 / 0.30 ms, {p99 / 1000:.2f} / 2.00 ms"
    assert is_good is is_met


def test_memory_counts_at_every_number() -> None:
    """Five kilobytes hold for 1,000 sessions and for 5,000."""
    rows = [Row("orbited-sse", "C", None, kilobytes={1000: 4.0, 5000: 5.1})]
    assert verdict(rows, "C, server-sent") == ("4.00 at 1,000, 5.10 at 5,000 (kB)", False)


def test_growth_names_the_floor_too() -> None:
    """How much dearer a delivery becomes is told of the system call as well."""
    rows = [
        *(Row("orbited-sse", name, cost) for name, cost in (("G100", 0.4), ("G10000", 0.5))),
        *(Row("raw-c-send", name, cost) for name, cost in (("G100", 4.0), ("G10000", 4.4))),
    ]
    measured = verdict(rows, "G100 to G10000, server-sent")
    assert measured == ("1.25 (`send()` in C: 1.10)", True)


def test_table_says_how_many_are_met() -> None:
    """Goals that were not measured do not count."""
    rows = [Row("morbid", "D1", 3.0), Row("morbid", "E32", 16.0)]
    text = goals_section(rows)
    assert "1 of 2 are met" in text
    assert "| D1, morbid: at most 3.5 us | 3.00 us | yes |" in text
    assert "| E32, morbid: at most 15 us | 16.00 us | **no** |" in text


def test_goals_speak_of_workloads_and_systems_that_exist(tmp_path) -> None:
    """No goal waits for a name that nothing has."""
    systems = everything(Bench(tmp_path))
    assert set(TRANSPORTS) <= set(systems)
    rows = [
        Row(
            system,
            workload.name,
            1.0,
            kilobytes={1000: 1.0},
            best_p50_microseconds=1.0,
            best_p99_microseconds=1.0,
        )
        for system in systems
        for workload in WORKLOADS.values()
        if workload.kind in systems[system].kinds
    ]
    assert all(each.is_met is not None for each in outcomes(rows))
    assert len(outcomes(rows)) == len(GOALS)
