"""From lines of JSON to the page and the picture."""

import json
from dataclasses import replace
from xml.etree import ElementTree

from benchmarks.chart import Bar, Panel, draw, picture
from benchmarks.report import Facts, Measured, facts_of, growth_section, page, section
from benchmarks.results import read

FACTS = Facts(
    machine="a computer",
    rounds=3,
    seconds=2.0,
    titles={
        "morbid": "**morbid**",
        "other": "Other & Co",
        "raw-c-send": "`send()` in C",
        "gone": "Gone",
        "absent": "Absent",
    },
    versions={"morbid": "revision 1", "other": "Other 2.0"},
    missing={"absent": "not installed"},
    references=["raw-c-send"],
    ours=["morbid"],
    passes=[{"round": 1, "at": "10:00", "begin": 1.0, "end": 2.5}],
    revision="abc1234",
    day="2026-01-31",
)


def line(system: str, microseconds: float, workload: str = "D1", **more: object) -> str:
    """One run as the generator tells it."""
    figures = {
        "system": system,
        "workload": workload,
        "ok": True,
        "us_per_delivery": microseconds,
        "rate": 1000.0,
        "cpu_s": 2.0,
        "cpu_user": 1.0,
        "p50_us": 10,
        "p99_us": 2000,
        "noise": 0.5,
        "expected": 5000,
        "delivered": 5000,
        "gaps": 0,
        "dups": 0,
    }
    return json.dumps({**figures, **more})


ROWS = read(
    [
        line("morbid", 5.0),
        line("other", 60.0),
        line("raw-c-send", 1.25),
        line("morbid", 4.0, rate=1500.0, p99_us=900),
        line("other", 50.0, ok=False, delivered=4000),
        line("morbid", 6.0),
        json.dumps({"system": "gone", "workload": "D1", "ok": False, "error": "setup"}),
    ]
)


def test_row_has_minimum_and_median() -> None:
    """Of several runs the cheapest counts, and the median stands beside it."""
    row = ROWS[0]
    assert (row.microseconds, row.median_microseconds, row.runs) == (4.0, 5.0, 3)
    assert (row.per_second, row.best_per_second) == (1000.0, 1500.0)
    assert (row.p99_microseconds, row.best_p99_microseconds) == (2000.0, 900.0)
    assert row.user_share == 0.5


def test_run_with_losses_does_not_count() -> None:
    """A run in which something was missing gives no figure, and is told about."""
    row = next(row for row in ROWS if row.system == "other")
    assert row.microseconds == 60.0
    assert row.fault == "1 of 2 runs failed: 1,000 missing of 5,000 deliveries"
    assert f"D1, Other & Co: {row.fault}." in section(ROWS, FACTS)


def test_failure_says_why() -> None:
    """Where nothing was measured, the reason takes the place of the figure."""
    row = next(row for row in ROWS if row.system == "gone")
    assert row.microseconds is None
    assert "could not connect" in row.fault


def test_page_compares_with_the_floor_and_with_ours() -> None:
    """A table has each system with its ratios, floors and failures at the end."""
    text = section(ROWS, FACTS)
    table = [line for line in text.splitlines() if line.startswith("| ")]
    assert [cells.split(" | ")[0].strip("| ") for cells in table] == [
        "system",
        "---",
        "**morbid**",
        "Other & Co",
        "*floor:* `send()` in C",
        "Gone",
    ]
    assert "| x `send()` in C | x morbid |" in table[0]
    assert "| **morbid** | 4.00 | 5.00 | 3.20 | 1.00 | 1,000 | 10 us | 2.00 ms |" in table
    assert "| 60.0 | 60.0 | 48.0 | 15.0 |" in table[3]


def test_page_says_what_was_measured_when_and_beside_what() -> None:
    """Versions, what is missing, the machine and its load are on the page."""
    text = page({"stomp": Measured(ROWS, FACTS)}, {"stomp": "chart.svg"})
    assert "![STOMP over TCP](chart.svg)" in text
    assert "Machine: a computer." in text
    assert "Absent: not here, not installed" in text
    assert "2026-01-31, 1 to 3 rounds of each system, 2 s for each run" in text
    assert "Revision abc1234, 2026-01-31" in text
    assert "load average from begin to end of each round: 1.0 to 2.5 (begun 10:00)" in text
    assert "0.50 of the machine's cores" in text
    assert "**The machine also ran other work**" in text


def test_quiet_machine_is_not_accused() -> None:
    """Without other work the page does not complain about it."""
    rows = [replace(row, noise=0.01) for row in ROWS]
    assert "also ran other work" not in page({"stomp": Measured(rows, FACTS)}, {})


def test_group_that_came_to_nothing_is_named() -> None:
    """What broke a group off stands where its tables would be; the others are there."""
    broken = replace(FACTS, trouble="OSError: no space left", revision="def5678")
    text = page({"web": Measured([], broken), "stomp": Measured(ROWS, FACTS)}, {})
    assert "## Push to browsers\n\nNothing was measured. Broken off: OSError" in text
    assert "### D1: one to one" in text
    assert "not all measured at one revision" in text


def test_system_that_got_no_turn_is_named() -> None:
    """Its version is there, and that it was not measured."""
    late = replace(FACTS, titles={**FACTS.titles, "late": "Late"}, versions={"late": "Late 3"})
    assert "- Late: Late 3; not measured, no time was left" in page(
        {"stomp": Measured(ROWS, late)}, {}
    )


def test_ratio_is_that_of_the_rounds() -> None:
    """The column has the median of the quotients, not the quotient of the minima."""
    lines = [line("morbid", 4.0, round=1), line("raw-c-send", 2.0, round=1)]
    lines += [line("morbid", 9.0, round=2), line("raw-c-send", 3.0, round=2)]
    assert "| **morbid** | 4.00 | 6.50 | 2.50 | 1.00 |" in section(read(lines), FACTS)


def test_facts_of_a_former_version_are_read() -> None:
    """What is no longer said beside figures is passed over."""
    known = {"machine": "a", "rounds": 1, "seconds": 1.0, "titles": {}, "versions": {}}
    assert facts_of(json.dumps({**known, "loads": [[1, 2]]})) == Facts(**known)


def test_memory_has_a_table_of_its_own() -> None:
    """Idle connections are told in kilobytes, for each number of them."""
    figures = {"system": "other", "workload": "C", "ok": True, "base_kilobytes": 9000}
    rows = read([json.dumps({**figures, "kilobytes_1000": 2.5, "kilobytes_5000": 2.25})])
    text = section(rows, FACTS)
    assert "| system | kB at 1,000 | kB at 5,000 |" in text
    assert "| Other & Co | 2.50 | 2.25 |" in text


def test_growth_is_one_table() -> None:
    """What a delivery costs stands in one row for all numbers of subscribers."""
    rows = read(
        [line("morbid", 2.0, "G100"), line("morbid", 2.5, "G10000"), line("other", 9.0, "G100")]
    )
    text = growth_section(rows, FACTS)
    assert "| **morbid** | 2.00 | 2.50 |" in text
    assert "| Other & Co | 9.00 | - |" in text


def test_chart_can_be_read_by_everyone() -> None:
    """The picture is well-formed, has a description with every figure, and both color schemes."""
    drawn = picture("stomp", "STOMP & more", Measured(ROWS, FACTS))
    assert drawn is not None
    svg = ElementTree.fromstring(drawn)
    names = {element.tag.rpartition("}")[2]: element for element in svg}
    assert names["title"].text == "STOMP & more"
    assert "D1, Other & Co: 60.0." in (names["desc"].text or "")
    assert "D1, Gone: fails." in (names["desc"].text or "")
    assert "prefers-color-scheme: dark" in (names["style"].text or "")
    assert [drawn.count(f'class="{kind}" x="322"') for kind in ("ours", "others", "floor")] == [
        1,
        1,
        1,
    ]


def test_group_without_figures_has_no_chart() -> None:
    """Where nothing was measured, nothing is drawn."""
    rows = [row for row in ROWS if row.system == "gone"]
    assert picture("stomp", "STOMP", Measured(rows, FACTS)) is None


def test_bar_that_dwarfs_the_rest_is_cut() -> None:
    """One long bar does not make all others disappear."""
    bars = [Bar("a", "ours", 1.0), Bar("b", "floor", 2.0), Bar("c", "others", 400.0)]
    svg = draw("A title", "in words", [Panel("D1", "one to one", bars)])
    assert svg.count('class="cut"') == 2
