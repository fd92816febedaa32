"""The five components of a site: found by dotted path, checked, and put together.

``settings.py`` uses the three functions at the end; the rest of thywill uses `load` and
`problems`, which say the same sentences: one raises them at start-up, the other lists them for
Django's system checks.
"""

from __future__ import annotations

import importlib
import logging
import sysconfig
import traceback
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final, TypeVar

from thywill_server.application.base import ApplicationComponent
from thywill_server.application.packages import application_packages, folders_of
from thywill_server.client_interface.base import BOOTSTRAP_ORDER, ClientInterfaceComponent
from thywill_server.component import Component, Problem
from thywill_server.database.base import DatabaseComponent
from thywill_server.errors import ConfigurationError
from thywill_server.log.base import LogComponent
from thywill_server.push.base import PushComponent
from thywill_server.settings_table import did_you_mean, shortened

log = logging.getLogger(__name__)

CONTRACTS: Final[dict[str, type[Component]]] = {
    "log": LogComponent,
    "database": DatabaseComponent,
    "push": PushComponent,
    "application": ApplicationComponent,
    "client_interface": ClientInterfaceComponent,
}
"""Section of ``THYWILL`` to contract, in the order they are built."""

COLLABORATORS: Final[dict[str, tuple[str, ...]]] = {
    "log": (),
    "database": ("log",),
    "push": ("log", "database"),
    "application": ("log", "database", "push"),
    "client_interface": ("log", "database", "push", "application"),
}

EXAMPLES: Final[dict[str, str]] = {
    "log": "thywill_server.log.console.Console",
    "database": "thywill_server.database.sqlite.Sqlite",
    "push": "thywill_server.push.orbited_stomp.OrbitedStomp",
    "application": "thywill_server.application.local_python.LocalPython",
    "client_interface": "thywill_server.client_interface.django_site.DjangoSite",
}

_OTHERS: Final = ("<", *(sysconfig.get_path(name) for name in ("stdlib", "purelib", "platlib")))
"""How the paths of Python's own files and of installed packages begin."""

T = TypeVar("T")


class Components:
    """One site's five components. Iterating gives the bootstrap order."""

    log: LogComponent
    database: DatabaseComponent
    push: PushComponent
    application: ApplicationComponent
    client_interface: ClientInterfaceComponent

    def __init__(self, built: Mapping[str, Component]) -> None:
        for section, component in built.items():
            setattr(self, section, component)

    def __iter__(self) -> Iterator[Component]:
        return (getattr(self, section) for section in BOOTSTRAP_ORDER)

    def start(self) -> None:
        """Start each, in bootstrap order."""
        for component in self:
            component.start()

    def stop(self) -> list[Any]:
        """Stop each, in reverse order, whatever the others do.

        Returns:
            the Deferreds that are still to come.
        """
        waiting: list[Any] = []
        for component in reversed(list(self)):
            try:
                result = component.stop()
            except Exception:
                log.exception("could not stop the %s component", component.SECTION)
            else:
                if result is not None:
                    waiting.append(result)
        return waiting

    def health(self) -> dict[str, dict[str, Any]]:
        """Ask each how it is; one that fails to answer has the status ``failed``."""
        report: dict[str, dict[str, Any]] = {}
        for component in self:
            try:
                report[component.SECTION] = component.health()
            except Exception:
                log.exception("no health from the %s component", component.SECTION)
                report[component.SECTION] = {"status": "failed"}
        return report


def load(thywill: object) -> Components:
    """Build a site's components from ``THYWILL``.

    Raises:
        ConfigurationError: something in it is wrong; the text has every sentence.
    """
    built, found = _build(thywill)
    if found:
        raise ConfigurationError(*found)
    return Components(built)


def problems(thywill: object) -> list[tuple[str, str]]:
    """Give the id and the sentence of everything that is wrong in ``THYWILL``."""
    _, found = _build(thywill)
    return [(problem.id, str(problem)) for problem in found]


def installed_applications(thywill: object) -> list[str]:
    """Give the application packages, for ``INSTALLED_APPS``; nothing is imported."""
    section = _section(thywill, "application")
    names = section.get("packages", [])
    if isinstance(names, str):
        names = [names]
    if not isinstance(names, (list, tuple)):
        return []
    # A name that leads nowhere would end Django's start with its own error; the check says ours.
    return [
        name
        for name in application_packages(name for name in names if isinstance(name, str))
        if folders_of(name) and all(part.isidentifier() for part in name.split("."))
    ]


def django_database(thywill: object) -> dict[str, Any]:
    """Give ``DATABASES["default"]``; a database in memory when the setting is wrong."""
    return _ask(
        thywill,
        "database",
        lambda component: component.django_database(),
        {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"},
    )


def logging_config(thywill: object) -> dict[str, Any]:
    """Give ``LOGGING``; Django's own logging when the setting is wrong."""
    return _ask(
        thywill,
        "log",
        lambda component: component.logging_config(installed_applications(thywill)),
        {"version": 1, "disable_existing_loggers": False},
    )


def import_dotted(path: str) -> Any:
    """Import what a dotted path such as ``package.module.Name`` leads to.

    Raises:
        ConfigurationError: one sentence, to follow the name of a setting.
    """
    module_name, _, name = path.rpartition(".")
    if not module_name:
        raise ConfigurationError(
            f'expected a dotted path such as "package.module.Name", got {shortened(path)}'
        )
    try:
        module = importlib.import_module(module_name)
    except Exception as error:
        raise ConfigurationError(
            f'cannot import "{module_name}" ({import_reason(error)})'
        ) from error
    try:
        return getattr(module, name)
    except AttributeError:
        hint = did_you_mean(name, tuple(vars(module)))
        raise ConfigurationError(f'"{module_name}" has no "{name}"{hint}') from None


def import_reason(error: BaseException) -> str:
    """Say in one line why an import failed: the error, and where, when it is a mistake in code."""
    text = " ".join(str(error).split())
    if isinstance(error, ImportError):
        return text or "ImportError"
    if isinstance(error, SyntaxError):
        return f"SyntaxError: {text}"
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if not frame.filename.startswith(_OTHERS)] or frames
    place = f", {Path(own[-1].filename).name} line {own[-1].lineno}" if own else ""
    return f"{type(error).__name__}: {text}{place}"


def _build(thywill: object) -> tuple[dict[str, Component], list[Problem]]:
    if not isinstance(thywill, Mapping):
        got = "nothing" if thywill is None else shortened(thywill)
        sentence = f"THYWILL: expected a mapping with the five components, got {got}"
        return {}, [Problem(sentence, "thywill.E001")]
    found = [
        Problem(
            f'THYWILL["{name}"]: unknown component{did_you_mean(name, dict(CONTRACTS))}',
            "thywill.E002",
        )
        for name in thywill
        if name not in CONTRACTS
    ]
    built: dict[str, Component] = {}
    for section in CONTRACTS:
        collaborators = {name: built[name] for name in COLLABORATORS[section] if name in built}
        component, wrong = _build_one(thywill, section, collaborators)
        found += wrong
        if component is not None and len(collaborators) == len(COLLABORATORS[section]):
            built[section] = component
    return built, found


def _build_one(
    thywill: Mapping[str, Any], section: str, collaborators: Mapping[str, Component]
) -> tuple[Component | None, list[Problem]]:
    """Build one component, as far as its own settings allow."""
    where = f'THYWILL["{section}"]'
    if section not in thywill:
        example = f'{{"component": "{EXAMPLES[section]}"}}'
        return None, [Problem(f"{where}: missing; for example {example}", "thywill.E003")]
    given = thywill[section]
    if not isinstance(given, Mapping):
        sentence = f'{where}: expected a mapping with "component", got {shortened(given)}'
        return None, [Problem(sentence, "thywill.E003")]
    path = given.get("component")
    if not isinstance(path, str):
        example = f'a dotted path such as "{EXAMPLES[section]}"'
        got = f"got {shortened(path)}" if "component" in given else "it is missing"
        sentence = f'{where}["component"]: expected {example}, {got}'
        return None, [Problem(sentence, "thywill.E003")]
    try:
        cls = import_dotted(path)
    except ConfigurationError as error:
        return None, [Problem(f'{where}["component"]: {error}', "thywill.E004")]
    contract = CONTRACTS[section]
    if not (isinstance(cls, type) and issubclass(cls, contract)):
        sentence = f'{where}["component"]: "{path}" is not a {contract.__name__}'
        return None, [Problem(sentence, "thywill.E005")]
    if missing := sorted(getattr(cls, "__abstractmethods__", ())):
        sentence = f'{where}["component"]: "{path}" lacks {", ".join(missing)}'
        return None, [Problem(sentence, "thywill.E005")]
    settings = {key: value for key, value in given.items() if key != "component"}
    found = cls.settings_problems(settings)
    component: Component | None = None
    if not found:
        component = cls(settings, **collaborators)
        found = component.check()
    return component, [_as_problem(sentence) for sentence in found]


def _as_problem(sentence: str) -> Problem:
    return sentence if isinstance(sentence, Problem) else Problem(sentence)


def _section(thywill: object, section: str) -> Mapping[str, Any]:
    given = thywill.get(section) if isinstance(thywill, Mapping) else None
    return given if isinstance(given, Mapping) else {}


def _ask(thywill: object, section: str, question: Callable[[Any], T], otherwise: T) -> T:
    """Build one component while ``settings.py`` is read and ask it; never raise for a mistake."""
    if not isinstance(thywill, Mapping):
        return otherwise
    component, found = _build_one(thywill, section, {})
    if component is None or found:
        return otherwise
    return question(component)
