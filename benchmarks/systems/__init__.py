"""The systems under test, one module for each family."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from benchmarks.systems import brokers, comet, references, sites, web
from benchmarks.systems.base import Bench, System

FAMILIES: Final = (references, comet, sites, brokers, web)
"""Modules with a list ``SYSTEMS`` of classes, or of whatever makes a system."""

Make = Callable[[Bench], System]


def everything(bench: Bench) -> dict[str, System]:
    """All systems by name, none of them started."""
    made = [make(bench) for family in FAMILIES for make in family.SYSTEMS]
    return {system.name: system for system in made}
