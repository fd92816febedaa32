"""Values and text as bytes, made once for everybody who gets them."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import date, datetime, time
from decimal import Decimal
from enum import Enum
from typing import Any, TypeAlias
from uuid import UUID

# A value that JSON can hold. An exact recursive alias would refuse a list[str], since lists are
# invariant, so this name is for readers; `plain` is what enforces it.
Json: TypeAlias = Any


def encode_text(text: str) -> bytes:
    """Give UTF-8, as a browser's TextEncoder would.

    Python strings may hold surrogates (JSON can escape half of a pair): pairs are joined, and a
    lone one becomes U+FFFD, so that the result is always valid UTF-8.
    """
    try:
        return text.encode()
    except UnicodeEncodeError:
        whole = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
        return whole.encode()


def encode_json(value: Json) -> bytes:
    """Give compact JSON in UTF-8.

    Dataclasses become objects, dates and times ISO 8601 text, UUIDs and decimals text, enums their
    value. A lone surrogate stays, escaped.

    Raises:
        TypeError: the value holds something that JSON has no form for.
        ValueError: it holds NaN or an infinity, or itself.
    """
    text = _encoder.encode(value)
    try:
        return text.encode()
    except UnicodeEncodeError:
        return _ascii_encoder.encode(value).encode()


def plain(value: Json) -> Json:
    """Give the same value built of dict, list, str, int, float, bool and None only.

    Raises what `encode_json` raises.
    """
    if value is None or type(value) in (str, bool, int):
        return value
    if isinstance(value, Enum):
        return plain(value.value)
    if isinstance(value, float):
        if not math.isfinite(value):
            raise ValueError(f"JSON has no form for {value!r}")
        return float(value)
    if isinstance(value, str):
        return str(value)
    if isinstance(value, int):
        return int(value)
    if isinstance(value, Mapping):
        return {_plain_key(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return plain(_simpler(value))


def _plain_key(key: object) -> str:
    if not isinstance(key, str):
        raise TypeError(f"a JSON object has text as keys, not {key!r}")
    return str(key)


def _simpler(value: object) -> Json:
    """Give a value one step nearer to JSON."""
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name) for field in fields(value)}
    if isinstance(value, (datetime, date, time)):
        return value.isoformat()
    if isinstance(value, (UUID, Decimal)):
        return str(value)
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"JSON has no form for {type(value).__name__}: {value!r:.80}")


_encoder, _ascii_encoder = (
    json.JSONEncoder(
        ensure_ascii=is_ascii, allow_nan=False, separators=(",", ":"), default=_simpler
    )
    for is_ascii in (False, True)
)
