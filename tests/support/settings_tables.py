"""The tables of ``documentation/reference/orbited.md``, made of the settings themselves.

``python -m tests.support.settings_tables`` writes them into the page anew; a test compares.
"""

import dataclasses
import re
from pathlib import Path
from typing import Any

from orbited.config import SECTIONS
from orbited.fields import fields_of, spelling

PAGE = Path(__file__).parents[2] / "documentation" / "reference" / "orbited.md"

_TABLE = re.compile(r"(### \[(\w+)\]\n\n(?:[^|\n].*\n|\n)*?)((?:\|.*\n)+)")


def table(section: str) -> str:
    """Key, default, unit, and what it is or what happens at it."""
    rows = ["| key | default | unit | |", "| --- | --- | --- | --- |"]
    for field in fields_of(SECTIONS[section]).values():
        sentence = field.metadata["help"]
        if field.metadata["choices"] and not isinstance(field.default, tuple):
            listed = ", ".join(f"`{choice}`" for choice in field.metadata["choices"])
            sentence += f": {listed}"
        rows.append(f"| `{spelling(field)}` | {_default(field)} | {_unit(field)} | {sentence} |")
    return "\n".join(rows) + "\n"


def page_with_tables(text: str) -> str:
    """The page with every table made anew."""
    return _TABLE.sub(lambda match: match[1] + table(match[2]), text)


def _default(field: dataclasses.Field[Any]) -> str:
    value = field.default
    if isinstance(value, bool):
        return str(int(value))
    if isinstance(value, tuple):
        value = ",".join(value)
    elif isinstance(value, float):
        value = f"{value:g}"
    return f"`{value}`" if value != "" else "empty"


def _unit(field: dataclasses.Field[Any]) -> str:
    name, value = field.name, field.default
    if isinstance(value, bool):
        return "1 or 0"
    if isinstance(value, tuple):
        return "list"
    if isinstance(value, str):
        return "text"
    if name.endswith("_bytes"):
        return "bytes"
    if name.endswith("_per_second"):
        return "bytes a second"
    if name.endswith("_days"):
        return "days"
    is_time = name.endswith(("_seconds", "_timeout", "_interval")) or name == "retry_after"
    return "seconds" if is_time else "number"


if __name__ == "__main__":
    PAGE.write_text(page_with_tables(PAGE.read_text("utf-8")), "utf-8")
