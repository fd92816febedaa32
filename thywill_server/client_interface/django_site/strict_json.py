"""JSON from strangers, read without surprises."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterable
from typing import Any, NoReturn

from thywill_server.encoding import Json


class MalformedJsonError(ValueError):
    """The bytes are not the JSON that we take; the text says why, for a person."""


def parse(body: bytes, max_depth: int) -> Json:
    """Read one JSON value.

    Beyond what JSON itself forbids, these are refused: keys that occur twice in an object, numbers
    that a float cannot hold, halves of surrogate pairs (they have no form in UTF-8, so they would
    fail later, in a database or on the wire), and nesting deeper than ``max_depth``.

    Raises:
        MalformedJsonError: always this, whatever the bytes are.
    """
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise MalformedJsonError(f"not UTF-8: byte {error.start} cannot be read") from None
    if text.startswith("\ufeff"):
        raise MalformedJsonError("not JSON: it begins with a byte order mark")
    try:
        value = _decoder.decode(text)
    except RecursionError:
        raise MalformedJsonError(f"nested deeper than {max_depth}") from None
    except MalformedJsonError:
        raise
    except ValueError as error:
        raise MalformedJsonError(f"not JSON: {error}") from None
    # Text in UTF-8 can hold no half of a pair but in an escape, and no depth without brackets.
    if "\\u" in text or text.count("{") + text.count("[") > max_depth:
        _check(value, max_depth)
    return value


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) < len(pairs):
        twice, _ = Counter(key for key, _ in pairs).most_common(1)[0]
        raise MalformedJsonError(f"the key {twice[:40]!r} occurs twice")
    return result


def _number(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise MalformedJsonError(f"the number {text[:20]} is too large")
    return number


def _no_constant(text: str) -> NoReturn:
    raise MalformedJsonError(f"{text} is not a JSON value")


_decoder = json.JSONDecoder(
    object_pairs_hook=_object, parse_float=_number, parse_constant=_no_constant
)


def _check(value: Json, max_depth: int) -> None:
    """Walk through the value level by level, so that no depth can hurt."""
    level = [value]
    depth = 0
    while level:
        for text in level:
            if isinstance(text, str) and not text.isascii():
                _check_text(text)
        containers = [item for item in level if isinstance(item, (dict, list))]
        depth += 1 if containers else 0
        if depth > max_depth:
            raise MalformedJsonError(f"nested deeper than {max_depth}")
        level = [inner for container in containers for inner in _inside(container)]


def _inside(container: dict[str, Json] | list[Json]) -> Iterable[Json]:
    return (*container, *container.values()) if isinstance(container, dict) else container


def _check_text(text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise MalformedJsonError("half of a surrogate pair stands alone") from None
