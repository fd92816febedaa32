"""Draws the bar chart: for each workload, what a delivery costs in each system.

Every workload has a scale of its own, because they differ by a hundred times. What is far longer
than the rest is cut, and says so: its figure stands beside it.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Final

from benchmarks.report import Facts
from benchmarks.results import Row
from benchmarks.workloads import WORKLOADS

WIDTH: Final = 960
LABEL_WIDTH: Final = 322
BAR_WIDTH: Final = 520
BAR_HEIGHT: Final = 18
ROW_HEIGHT: Final = 26
PANEL_HEAD: Final = 46
PANEL_FOOT: Final = 16
TOP: Final = 84

STYLE: Final = """\
    svg { --paper: #fbfaf6; --ink: #1c2330; --soft: #5c6675; --line: #d6d3ca;
          --ours: #0b63ce; --others: #98a3b3; --floor: #0a7a4b; }
    @media (prefers-color-scheme: dark) {
      svg { --paper: #12161d; --ink: #e9ecf2; --soft: #9ba6b6; --line: #343d4a;
            --ours: #76b4ff; --others: #5d6878; --floor: #5fd6a0; }
    }
    text { font: 14px/1.2 system-ui, "Segoe UI", Roboto, "Helvetica Neue", sans-serif;
           fill: var(--ink); }
    .title { font-size: 25px; font-weight: 650; }
    .head { font-size: 16px; font-weight: 650; }
    .soft { fill: var(--soft); }
    .end { text-anchor: end; }
    .paper { fill: var(--paper); stroke: var(--line); }
    .ours { fill: var(--ours); }
    .others { fill: var(--others); }
    .floor { fill: var(--floor); }
    .own { font-weight: 650; }
    .axis { stroke: var(--line); }
    .cut { stroke: var(--paper); stroke-width: 3; }"""


def draw(title: str, rows: Sequence[Row], facts: Facts, ours: str) -> str:
    """A complete SVG file.

    Args:
        rows: of one group of workloads.
        ours: name of the system that stands out.
    """
    parts = [
        _text(24, 44, title, "title"),
        _text(24, 68, "Server CPU for each delivery, in microseconds: shorter is better", "soft"),
        *_legend(),
    ]
    y = TOP
    for workload in WORKLOADS.values():
        panel = [row for row in rows if row.workload == workload.name]
        if panel:
            drawn, height = _panel(y, panel, facts, ours)
            parts += drawn
            y += height
    description = " ".join(
        f"{row.workload}, {_plain(facts.titles[row.system])}: {_cost(row)}." for row in rows
    )
    body = "\n  ".join(parts)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {y}" width="{WIDTH}"'
        f' height="{y}" role="img" aria-labelledby="title description">\n'
        f'  <title id="title">{escape(title, quote=False)}</title>\n'
        f'  <desc id="description">{escape(description, quote=False)}</desc>\n'
        f"  <style>\n{STYLE}\n  </style>\n"
        f'  <rect class="paper" x="0.5" y="0.5" width="{WIDTH - 1}" height="{y - 1}" rx="14"/>\n'
        f"  {body}\n</svg>\n"
    )


def _legend() -> list[str]:
    """What the three colors stand for, at the right of the second line."""
    entries = (("ours", "this project"), ("others", "others"), ("floor", "floors, no protocol"))
    parts, x = [], WIDTH - 372
    for kind, words in entries:
        parts.append(f'<rect class="{kind}" x="{x}" y="57" width="12" height="12" rx="3"/>')
        parts.append(_text(x + 18, 68, words, "soft"))
        x += 44 + 7 * len(words)
    return parts


def _panel(y: int, rows: list[Row], facts: Facts, ours: str) -> tuple[list[str], int]:
    workload = WORKLOADS[rows[0].workload]
    rows = sorted(
        rows, key=lambda row: (row.system in facts.references, row.microseconds or float("inf"))
    )
    costs = sorted(row.microseconds for row in rows if row.microseconds is not None)
    scale = _scale(costs)
    parts = [
        _text(24, y + 30, workload.name, "head"),
        _text(96, y + 30, workload.sentence, "soft"),
    ]
    top = y + PANEL_HEAD
    for number, row in enumerate(rows):
        parts += _bar(top + number * ROW_HEIGHT, row, facts, ours, scale)
    bottom = top + len(rows) * ROW_HEIGHT
    x = LABEL_WIDTH
    parts.append(f'<path class="axis" d="M{x} {top - 2}V{bottom - 6}"/>')
    return parts, PANEL_HEAD + len(rows) * ROW_HEIGHT + PANEL_FOOT


def _scale(costs: list[float]) -> float:
    """The figure that fills the width: the largest, unless it dwarfs the second largest."""
    if not costs:
        return 1.0
    if len(costs) > 1 and costs[-1] > 4 * costs[-2]:
        return costs[-2] * 2
    return costs[-1]


def _bar(y: int, row: Row, facts: Facts, ours: str, scale: float) -> list[str]:
    kind = "ours" if row.system == ours else "floor" if row.system in facts.references else "others"
    emphasis = "own end" if row.system == ours else "end"
    base = y + 14
    title = _plain(facts.titles[row.system])
    parts = [_text(LABEL_WIDTH - 10, base, title, emphasis)]
    if row.microseconds is None:
        return [*parts, _text(LABEL_WIDTH + 8, base, "fails", "soft")]
    is_cut = row.microseconds > scale
    length = BAR_WIDTH * min(1.0, row.microseconds / scale)
    parts.append(
        f'<rect class="{kind}" x="{LABEL_WIDTH}" y="{y}" width="{max(length, 1):.1f}"'
        f' height="{BAR_HEIGHT}" rx="3"/>'
    )
    end = LABEL_WIDTH + length
    if is_cut:
        parts += [
            f'<path class="cut" d="M{x:.0f} {y + BAR_HEIGHT + 2}l8 {-BAR_HEIGHT - 4}"/>'
            for x in (end - 44, end - 36)
        ]
    return [*parts, _text(end + 8, base, _cost(row), "own" if row.system == ours else "")]


def _cost(row: Row) -> str:
    if row.microseconds is None:
        return "fails"
    return f"{row.microseconds:.{2 if row.microseconds < 10 else 1}f}"


def _plain(title: str) -> str:
    return title.replace("*", "").replace("`", "")


def _text(x: float, y: float, words: str, css: str = "") -> str:
    kind = f' class="{css}"' if css else ""
    return f'<text x="{x:g}" y="{y:g}"{kind}>{escape(words, quote=False)}</text>'
