"""MorbidQ, a STOMP broker for Twisted: in a process of its own, or inside another.

Importing this package imports nothing else; names are looked up when they are asked for.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

__all__ = ["StompFactory", "StompProtocol", "get_stomp_factory", "main"]

_HOMES = {
    "StompFactory": "morbid.server",
    "StompProtocol": "morbid.server",
    "get_stomp_factory": "morbid.service",
    "main": "morbid.start",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
