"""Runs each suite for every implementation of its contract."""

import json
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from tests.contracts.implementations import SETTINGS, implementations
from tests.support.recording import MemoryDatabase, NullLog, RecordingPush
from thywill_server.application.local_python import LocalPython
from thywill_server.component import Component
from thywill_server.components import import_dotted


def pytest_addoption(parser: pytest.Parser) -> None:
    """Options for the component of somebody else; see documentation/how-to/write-a-component.md."""
    parser.addoption("--component", metavar="DOTTED.PATH", help="run the suites for this one only")
    parser.addoption(
        "--component-settings", metavar="JSON", default="{}", help="the least that it must be told"
    )


def chosen(config: pytest.Config) -> list[type[Component]]:
    """The component of ``--component``, or all of ours."""
    # Without tests/contracts on the command line, pytest comes here too late for options.
    path = config.getoption("--component", None)
    return implementations() if path is None else [import_dotted(path)]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """With ``--component``, leave out what is not for this component."""
    if config.getoption("--component", None) is not None:
        (wanted,) = chosen(config)
        calls = [(item, getattr(item, "callspec", None)) for item in items]
        items[:] = [
            item for item, call in calls if call and call.params.get("implementation") is wanted
        ]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test that asks for ``implementation`` once for each; a module's SECTION narrows it."""
    if "implementation" in metafunc.fixturenames:
        section = getattr(metafunc.module, "SECTION", None)
        found = [cls for cls in chosen(metafunc.config) if section in (None, cls.SECTION)]
        metafunc.parametrize("implementation", found, ids=lambda cls: cls.__name__)


@pytest.fixture
def least(
    implementation: type[Component], tmp_path: Path, request: pytest.FixtureRequest
) -> dict[str, Any]:
    """The least settings of the implementation."""
    if request.config.getoption("--component", None) is not None:
        settings: dict[str, Any] = json.loads(request.config.getoption("--component-settings"))
        return settings
    driver = getattr(implementation, "DRIVER", None)
    if driver is not None and find_spec(driver) is None:
        pytest.skip(f"the Python module {driver} is missing; ./run test installs it where it can")
    return SETTINGS[implementation.__name__](tmp_path)


@pytest.fixture
def component(implementation: type[Component], least: dict[str, Any]) -> Component:
    """The implementation with its least settings, and the plainest of collaborators."""
    collaborators: dict[str, Component] = {
        "log": NullLog({}),
        "database": MemoryDatabase({}),
        "push": RecordingPush({}),
    }
    if implementation.SECTION == "client_interface":
        packages = {"packages": ["thywill_apps.proof_of_concept"]}
        collaborators["application"] = LocalPython(packages, push=collaborators["push"])
    return implementation(least, **collaborators)
