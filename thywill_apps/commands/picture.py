"""The board as an SVG picture, for keeping."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any, Final, TypeAlias
from xml.sax.saxutils import escape, quoteattr

from thywill_apps.commands.board import corners
from thywill_apps.commands.bounds import HEIGHT, WIDTH

Point: TypeAlias = tuple[float, float]

ROUNDING: Final = 14
"""How far from a corner its curve begins and ends, at most."""

PAPER: Final = "#ffffff"

COLORS: Final = {
    "ink": "#1c2024",
    "red": "#c22f2f",
    "orange": "#c65d00",
    "green": "#1f7a4d",
    "blue": "#1d62c4",
    "violet": "#7a3fb8",
}


def svg_of(strokes: Iterable[dict[str, Any]]) -> str:
    """Give a picture of strokes, as text; each says in its title whose it is."""
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" fill="none" '
        'stroke-linecap="round" stroke-linejoin="round">',
        "<title>Whiteboard</title>",
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="{PAPER}"/>',
    ]
    for stroke in strokes:
        title = escape(f"{stroke['ink']}, by {stroke['name']}")
        path = quoteattr(path_of(stroke["points"]))
        color = COLORS[stroke["ink"]]
        lines.append(
            f'<path stroke="{color}" stroke-width="{stroke["width"]}" d={path}>'
            f"<title>{title}</title></path>"
        )
    return "\n".join([*lines, "</svg>", ""])


def path_of(points: Sequence[int]) -> str:
    """Give the path of a stroke, as the page's ``strokes.js`` does: lines with round corners."""
    start, *rest = corners(points)
    at = _text(start)
    if not rest:
        return f"M{at}h0"
    path = f"M{at}"
    for before, corner, after in zip([start, *rest], rest, rest[1:], strict=False):
        begin, end = _text(_towards(corner, before)), _text(_towards(corner, after))
        path += ("" if begin == at else f"L{begin}") + f"Q{_text(corner)} {end}"
        at = end
    return f"{path}L{_text(rest[-1])}"


def _towards(corner: Point, other: Point) -> Point:
    """Give the point where a corner's curve begins: on the way to another, at most half of it."""
    (x, y), (other_x, other_y) = corner, other
    length = math.hypot(other_x - x, other_y - y)
    share = min(0.5, ROUNDING / length) if length else 0.0
    return x + share * (other_x - x), y + share * (other_y - y)


def _text(point: Point) -> str:
    return " ".join(f"{round(number, 1):g}" for number in point)
