"""The keys of a section: how they are spelled, and how text becomes their value.

A key is a field of the section's class, declared with ``orbited.protocol.settings.setting``. The
type of its default says how it is read.
"""

import dataclasses
import difflib
from collections.abc import Iterable
from typing import Any

__all__ = ["convert", "fields_of", "nearest", "spelling", "words"]

_TRUE, _FALSE = ("1", "yes", "true", "on"), ("0", "no", "false", "off")


def fields_of(cls: type[Any]) -> dict[str, dataclasses.Field[Any]]:
    """Name to field, in the order of the class."""
    return {field.name: field for field in dataclasses.fields(cls)}


def spelling(field: dataclasses.Field[Any]) -> str:
    """The key as it is written in a file; ``_`` may stand for its dots."""
    return str(field.metadata.get("key") or field.name)


def words(value: Any) -> tuple[str, ...]:
    """A comma list, or a list, as words."""
    parts = value.split(",") if isinstance(value, str) else value
    return tuple(word for part in parts if (word := str(part).strip()))


def nearest(word: str, known: Iterable[str]) -> str | None:
    """What was probably meant."""
    found = difflib.get_close_matches(word.lower(), list(known), n=1, cutoff=0.6)
    return found[0] if found else None


def convert(field: dataclasses.Field[Any], value: Any) -> Any:
    """Make a field's value of text, or of a value that has the right type already.

    Raises:
        ValueError: with what was expected, and what is there.
    """
    default: Any = field.default
    metadata = field.metadata
    if isinstance(default, bool):
        text = str(value).lower()
        if text not in _TRUE + _FALSE:
            raise ValueError(f"expected 1 or 0, got {value!r}")
        return text in _TRUE
    if isinstance(default, tuple):
        read = metadata.get("read", tuple)
        several = words(value)
        for word in several:
            _check_choice(word, metadata["choices"])
        return read(several)
    if isinstance(default, str):
        _check_choice(str(value), metadata["choices"])
        return str(value)
    return _number(value, default, metadata["minimum"])


def _number(value: Any, default: float, minimum: float) -> float:
    read, kind = (int, "a whole number") if isinstance(default, int) else (float, "a number")
    try:
        number = read(value)
    except (TypeError, ValueError, OverflowError):
        raise ValueError(f"expected {kind}, got {value!r}") from None
    if not minimum <= number < float("inf"):
        raise ValueError(f"expected {minimum} or more, got {value!r}")
    return number


def _check_choice(value: str, choices: tuple[str, ...]) -> None:
    if choices and value and value not in choices:
        listed = ", ".join(choices[:-1]) + f" or {choices[-1]}"
        raise ValueError(f"expected {listed}, got {value!r}")
