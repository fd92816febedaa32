"""Every implementation of each component, found by looking, so that a new one cannot be forgotten.

An implementation needs an entry in `SETTINGS`: the least that it must be told.
"""

import importlib
import inspect
import pkgutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import thywill_server
from thywill_server.component import Component
from thywill_server.components import CONTRACTS

SETTINGS: dict[str, Callable[[Path], dict[str, Any]]] = {
    "Console": lambda folder: {},
    "DjangoSite": lambda folder: {},
    "InMemory": lambda folder: {},
    "LocalPython": lambda folder: {"packages": ["thywill_apps.proof_of_concept"]},
    "Logfile": lambda folder: {"path": folder / "logs" / "site.log"},
    "Mysql": lambda folder: {"name": "thywill", "user": "thywill"},
    "OrbitedStomp": lambda folder: {"ticket_key_file": folder / "keys" / "ticket.key"},
    "Postgresql": lambda folder: {"name": "thywill", "user": "thywill"},
    "RemoteStomp": lambda folder: {
        "applications": {"proof_of_concept": {"title": "Echo"}},
        "stomp_host": "127.0.0.1",
        "stomp_port": 1,
    },
    "Sqlite": lambda folder: {"name": folder / "database" / "site.sqlite3"},
}


def implementations() -> list[type[Component]]:
    """Every component class of ours that can be built."""
    for section in CONTRACTS:
        package = importlib.import_module(f"thywill_server.{section}")
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            importlib.import_module(module.name)
    return sorted(concrete(Component), key=lambda cls: cls.__qualname__)


def concrete(cls: type[Component]) -> Iterator[type[Component]]:
    """The subclasses that have no abstract methods left and are no contracts."""
    for subclass in cls.__subclasses__():
        is_ours = subclass.__module__.startswith(f"{thywill_server.__name__}.")
        is_abstract = subclass in CONTRACTS.values() or inspect.isabstract(subclass)
        if is_ours and not is_abstract:
            yield subclass
        yield from concrete(subclass)
