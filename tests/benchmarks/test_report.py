"""From lines of JSON to the page and the picture."""

import json
from xml.etree import ElementTree

from benchmarks.chart import draw
from benchmarks.report import Facts, page
from benchmarks.results import Row, read

FACTS = Facts(
    machine="a computer",
    rounds=3,
    seconds=2.0,
    titles={"morbid": "**morbid**", "other": "Other & Co", "raw": "`send()` in C", "gone": "Gone"},
    versions={"morbid": "revision 1", "other": "Other 2.0"},
    missing={"gone": "not installed"},
    references=frozenset({"raw"}),
)


def line(system: str, microseconds: float, **more: object) -> str:
    """One run as the generator tells it."""
    figures = {
        "system": system,
        "workload": "D1",
        "ok": True,
        "us_per_delivery": microseconds,
        "rate": 1000.0,
        "cpu_s": 2.0,
        "cpu_user": 1.0,
        "p50_us": 10,
        "p99_us": 2000,
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
        line("raw", 1.25),
        line("morbid", 4.0),
        line("other", 50.0, ok=False, delivered=4000),
        line("morbid", 6.0),
        json.dumps({"system": "gone", "workload": "D1", "ok": False, "error": "setup"}),
    ]
)


def test_row_has_minimum_and_median() -> None:
    """Of several runs the cheapest counts, and the median stands beside it."""
    row = ROWS[0]
    assert (row.microseconds, row.median_microseconds, row.runs) == (4.0, 5.0, 3)
    assert row.user_share == 0.5


def test_run_with_losses_does_not_count() -> None:
    """A run in which something was missing gives no figure, and is told about."""
    row = next(row for row in ROWS if row.system == "other")
    assert row.microseconds == 60.0
    assert row.fault == "1 of 2 runs failed: 1,000 missing of 5,000 deliveries"


def test_failure_says_why() -> None:
    """Where nothing was measured, the reason takes the place of the figure."""
    row = next(row for row in ROWS if row.system == "gone")
    assert row.microseconds is None
    assert "could not connect" in row.fault


def test_page_compares_with_ours() -> None:
    """The page has each system with its ratio to ours, floors and failures at the end."""
    text = page(ROWS, FACTS, {"stomp": "chart.svg"})
    table = [line for line in text.splitlines() if line.startswith("| ")]
    assert [cells.split(" | ")[0].strip("| ") for cells in table] == [
        "system",
        "---",
        "**morbid**",
        "Other & Co",
        "*floor:* `send()` in C",
        "Gone",
    ]
    assert "| **morbid** | 4.00 | 5.00 | 1.00 | 1,000 | 10 us | 2.00 ms |" in table
    assert "| 60.0 | 60.0 | 15.0 |" in table[3]
    assert "![STOMP over TCP: CPU time for each delivery](chart.svg)" in text
    assert "a computer" in text
    assert "Gone: not installed" in text


def test_memory_has_a_table_of_its_own() -> None:
    """Idle connections are told in kilobytes, for each number of them."""
    figures = {"system": "other", "workload": "C", "ok": True, "base_kilobytes": 9000}
    rows = read([json.dumps({**figures, "kilobytes_1000": 2.5, "kilobytes_5000": 2.25})])
    text = page(rows, FACTS, {})
    assert "| system | kB at 1,000 | kB at 5,000 |" in text
    assert "| Other & Co | 2.5 | 2.2 |" in text


def test_facts_of_two_runs_are_joined() -> None:
    """A page about several groups names the systems of all of them."""
    other = Facts("a computer", 5, 1.0, {"web": "Web"}, {"web": "Web 3"}, references=frozenset("x"))
    joined = FACTS.joined_with([other])
    assert joined.rounds == 3
    assert joined.titles == {"web": "Web", **FACTS.titles}
    assert joined.references == {"raw", "x"}


def test_chart_can_be_read_by_everyone() -> None:
    """The picture is well-formed, has a description with every figure, and both color schemes."""
    svg = ElementTree.fromstring(draw("STOMP & more", ROWS, FACTS, "morbid"))
    names = {element.tag.rpartition("}")[2]: element for element in svg}
    assert names["title"].text == "STOMP & more"
    assert "D1, Other & Co: 60.0." in (names["desc"].text or "")
    assert "prefers-color-scheme: dark" in (names["style"].text or "")


def test_bar_that_dwarfs_the_rest_is_cut() -> None:
    """One long bar does not make all others disappear."""
    rows = [Row("morbid", "D1", 1.0), Row("raw", "D1", 2.0), Row("other", "D1", 400.0)]
    svg = draw("A title", rows, FACTS, "morbid")
    assert 'class="cut"' in svg
    assert svg.count('class="cut"') == 2
