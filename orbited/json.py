"""``encode`` and ``decode``, the two names that Orbited has always had for JSON."""

from __future__ import annotations

import json as _json
from typing import Any

__all__ = ["decode", "encode"]


def encode(value: Any) -> str:
    """Write a value as JSON text, in ASCII, with no line breaks."""
    return _json.dumps(value, ensure_ascii=True)


def decode(text: str | bytes) -> Any:
    """Read JSON text.

    Raises:
        ValueError: it is not JSON.
    """
    return _json.loads(text)
