"""The few shapes that the pictures of the documentation are made of."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from pathlib import Path
from textwrap import indent

WIDTH, HEIGHT = 960, 560
STYLE = (Path(__file__).parent / "pictures.css").read_text(encoding="utf-8").strip()

MARKERS = "".join(
    f'<marker id="{way}" viewBox="0 0 10 10" refX="8.5" refY="5" markerWidth="6" markerHeight="6"'
    f' orient="auto-start-reverse"><path class="{way}" d="M0 0.8 L9.5 5 L0 9.2 z"/></marker>'
    for way in ("up", "down")
)


def text(x: float, y: float, words: str, css: str = "") -> str:
    """One line of text; ``y`` is its base line."""
    kind = f' class="{css}"' if css else ""
    return f'<text x="{x:g}" y="{y:g}"{kind}>{escape(words, quote=False)}</text>'


def box(x: float, y: float, width: float, height: float, css: str, radius: float = 10) -> str:
    """A rectangle with round corners."""
    return (
        f'<rect class="{css}" x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}"'
        f' rx="{radius:g}"/>'
    )


def arrow(path: str, way: str = "up") -> str:
    """A line with a head: ``up`` towards the server, ``down`` towards the browser."""
    return f'<path class="arrow-{way}" d="{path}" marker-end="url(#{way})"/>'


def number(x: float, y: float, digit: int, way: str = "up") -> str:
    """A digit on a disc."""
    return f'<circle class="{way}" cx="{x:g}" cy="{y:g}" r="11"/>' + text(
        x, y + 5, str(digit), "on small middle"
    )


def group(parts: Iterable[str], *, away: bool = False) -> str:
    """Parts that belong together; those that play no role in a picture step back."""
    kind = ' class="away"' if away else ""
    return f"<g{kind}>" + "\n    ".join(parts) + "</g>"


def picture(title: str, description: str, parts: Iterable[str], height: float = HEIGHT) -> str:
    """A complete SVG file."""
    body = "\n  ".join(parts)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:g}" width="{WIDTH}"'
        f' height="{height:g}" role="img" aria-labelledby="title description">\n'
        f'  <title id="title">{escape(title, quote=False)}</title>\n'
        f'  <desc id="description">{escape(description, quote=False)}</desc>\n'
        f"  <style>\n{indent(STYLE, '    ')}\n  </style>\n  <defs>{MARKERS}</defs>\n"
        f"  {box(0.5, 0.5, WIDTH - 1, height - 1, 'paper', 14)}\n  {body}\n</svg>\n"
    )
