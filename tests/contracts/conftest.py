"""Runs each suite for every implementation of its contract."""

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from tests.contracts.implementations import SETTINGS, implementations
from tests.support.recording import MemoryDatabase, NullLog, RecordingPush
from thywill_server.application.local_python import LocalPython
from thywill_server.component import Component


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test that asks for ``implementation`` once for each; a module's SECTION narrows it."""
    if "implementation" in metafunc.fixturenames:
        section = getattr(metafunc.module, "SECTION", None)
        found = [cls for cls in implementations() if section in (None, cls.SECTION)]
        metafunc.parametrize("implementation", found, ids=lambda cls: cls.__name__)


@pytest.fixture
def least(implementation: type[Component], tmp_path: Path) -> dict[str, Any]:
    """The least settings of the implementation."""
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
