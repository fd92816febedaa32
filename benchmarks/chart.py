"""Draws the bar charts: a panel for each workload, a bar for each system.

Every panel has a scale of its own, because they differ by a hundred times. What is far longer than
the rest is cut, and says so: its figure stands beside it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Final

from benchmarks.report import Measured, plain
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

DRAWN: Final = {
    "web": ("A100w1", "A100", "B32"),
    "growth": ("G10000w1", "G10000"),
    "post": ("P32",),
    "stomp": ("D1", "D1w1", "D100", "E32"),
    "memory": ("C",),
}
"""The workloads in the picture of a group; the tables have the others too."""

LEFT_OUT: Final = ("raw-c-gather", "raw-py-send", "raw-tw-gather", "raw-tw-write")
"""Floors that only the tables have."""

COSTS: Final = "Server CPU for each delivery, in microseconds: shorter is better"
SIZES: Final = "Kilobytes of the server for each of 5,000 connections: shorter is better"


@dataclass(frozen=True)
class Bar:
    """One system.

    Attributes:
        kind: ``ours``, ``others`` or ``floor``.
        value: None if it failed.
    """

    title: str
    kind: str
    value: float | None

    @property
    def figure(self) -> str:
        """The value in words."""
        if self.value is None:
            return "fails"
        return f"{self.value:.{2 if self.value < 10 else 1}f}"


@dataclass(frozen=True)
class Panel:
    """One workload."""

    name: str
    sentence: str
    bars: Sequence[Bar]


def picture(group: str, title: str, measured: Measured) -> str | None:
    """The picture of a group as an SVG file; None where there is nothing to draw."""
    panels = []
    for name in DRAWN.get(group, ()):
        rows = [row for row in measured.rows if row.workload == name]
        bars = [_bar_of(row, measured) for row in rows if row.system not in LEFT_OUT]
        if any(bar.value for bar in bars):
            panels.append(Panel(name, WORKLOADS[name].sentence, bars))
    return draw(title, SIZES if group == "memory" else COSTS, panels) if panels else None


def _bar_of(row: Row, measured: Measured) -> Bar:
    facts = measured.facts
    is_ours, is_floor = row.system in facts.ours, row.system in facts.references
    value = row.kilobytes[max(row.kilobytes)] if row.kilobytes else row.microseconds
    kind = "ours" if is_ours else "floor" if is_floor else "others"
    return Bar(plain(facts.titles[row.system]), kind, value)


def draw(title: str, subtitle: str, panels: Sequence[Panel]) -> str:
    """A complete SVG file."""
    parts = [_text(24, 44, title, "title"), _text(24, 68, subtitle, "soft"), *_legend()]
    y = TOP
    for panel in panels:
        drawn, height = _panel(y, panel)
        parts += drawn
        y += height
    description = " ".join(
        f"{panel.name}, {bar.title}: {bar.figure}." for panel in panels for bar in panel.bars
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
    """What the three colors stand for, at the right of the first line."""
    entries = (("ours", "this project"), ("others", "others"), ("floor", "floors"))
    parts, x = [], WIDTH - 322
    for kind, words in entries:
        parts.append(f'<rect class="{kind}" x="{x}" y="33" width="12" height="12" rx="3"/>')
        parts.append(_text(x + 18, 44, words, "soft"))
        x += 44 + 7 * len(words)
    return parts


def _panel(y: int, panel: Panel) -> tuple[list[str], int]:
    bars = sorted(panel.bars, key=lambda bar: (bar.kind == "floor", bar.value or float("inf")))
    scale = _scale(sorted(bar.value for bar in bars if bar.value is not None))
    parts = [
        _text(24, y + 30, panel.name, "head"),
        _text(44 + 10 * len(panel.name), y + 30, panel.sentence, "soft"),
    ]
    top = y + PANEL_HEAD
    for number, bar in enumerate(bars):
        parts += _bar(top + number * ROW_HEIGHT, bar, scale)
    bottom = top + len(bars) * ROW_HEIGHT
    parts.append(f'<path class="axis" d="M{LABEL_WIDTH} {top - 2}V{bottom - 6}"/>')
    return parts, PANEL_HEAD + len(bars) * ROW_HEIGHT + PANEL_FOOT


def _scale(values: list[float]) -> float:
    """The figure that fills the width: the largest, unless it dwarfs those in the middle."""
    if not values:
        return 1.0
    return min(values[-1], 6 * values[len(values) // 2])


def _bar(y: int, bar: Bar, scale: float) -> list[str]:
    base = y + 14
    is_ours = bar.kind == "ours"
    parts = [_text(LABEL_WIDTH - 10, base, bar.title, "own end" if is_ours else "end")]
    if bar.value is None:
        return [*parts, _text(LABEL_WIDTH + 8, base, "fails", "soft")]
    length = BAR_WIDTH * min(1.0, bar.value / scale)
    parts.append(
        f'<rect class="{bar.kind}" x="{LABEL_WIDTH}" y="{y}" width="{max(length, 1):.1f}"'
        f' height="{BAR_HEIGHT}" rx="3"/>'
    )
    end = LABEL_WIDTH + length
    if bar.value > scale:
        parts += [
            f'<path class="cut" d="M{x:.0f} {y + BAR_HEIGHT + 2}l8 {-BAR_HEIGHT - 4}"/>'
            for x in (end - 44, end - 36)
        ]
    return [*parts, _text(end + 8, base, bar.figure, "own" if is_ours else "")]


def _text(x: float, y: float, words: str, css: str = "") -> str:
    kind = f' class="{css}"' if css else ""
    return f'<text x="{x:g}" y="{y:g}"{kind}>{escape(words, quote=False)}</text>'
