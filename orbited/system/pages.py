"""Pages of HTML that belong to the server itself; what they load stands under ``/static``."""

import html
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from string import Template

from orbited.http import Exchange

__all__ = ["Markup", "reply_page"]

_FOLDER = Path(__file__).parent / "html"

#: Nothing inline, nothing from elsewhere, nobody's frame.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


class Markup(str):
    """Text that is HTML already."""

    __slots__ = ()


def reply_page(exchange: Exchange, name: str, values: Mapping[str, str] | None = None) -> None:
    """Answer with a page of ``html/``, its ``$names`` replaced; text is escaped, Markup is not."""
    escaped = {
        key: value if isinstance(value, Markup) else html.escape(value)
        for key, value in (values or {}).items()
    }
    headers = [
        ("Content-Type", "text/html; charset=utf-8"),
        ("Content-Security-Policy", _POLICY),
        ("Referrer-Policy", "no-referrer"),
    ]
    exchange.reply(200, _template(name).substitute(escaped), headers)


@cache
def _template(name: str) -> Template:
    return Template((_FOLDER / name).read_text(encoding="utf-8"))
