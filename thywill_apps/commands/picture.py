"""The board as an SVG picture, for keeping."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Any, Final
from xml.sax.saxutils import escape, quoteattr

from thywill_apps.commands.board import corners
from thywill_apps.commands.bounds import HEIGHT, WIDTH

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
    """Give the path of a stroke: curves through the middles between its points, as on the page."""
    (x, y), *rest = corners(points)
    if not rest:
        return f"M{x} {y}h0"
    path = f"M{x} {y}"
    for (x, y), (next_x, next_y) in pairwise(rest):
        path += f"Q{x} {y} {_half(x + next_x)} {_half(y + next_y)}"
    return f"{path}L{rest[-1][0]} {rest[-1][1]}"


def _half(number: int) -> str:
    return f"{number // 2}.5" if number % 2 else str(number // 2)
