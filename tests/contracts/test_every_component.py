"""What holds for every component of every kind."""

import json
import threading
from pathlib import Path
from typing import Any

import pytest

from thywill_server.client import Client
from thywill_server.client_configuration import ClientConfiguration
from thywill_server.component import Component
from thywill_server.components import CONTRACTS, import_dotted

CLIENT = Client("6e1a4d1e-6c4f-4a37-8f6e-0a4f5a3b2c1d", "session", None, "proof_of_concept")


def snapshot(folder: Path) -> set[Path]:
    """All files and folders below one."""
    return set(folder.rglob("*"))


def test_its_section_is_one_of_the_five(implementation: type[Component]) -> None:
    """It can be chosen by a dotted path in its section, and is described."""
    assert issubclass(implementation, CONTRACTS[implementation.SECTION])
    assert import_dotted(f"{implementation.__module__}.{implementation.__name__}")
    assert implementation.__doc__


def test_every_setting_is_explained(implementation: type[Component]) -> None:
    """Each setting has a sentence, and a default that is right by its own rules."""
    for name, setting in implementation.SETTINGS.items():
        assert setting.help.endswith("."), name
        assert setting.help[0].isupper() or setting.help.split()[0] in setting.choices, name
        if not setting.required:
            assert setting.problem(setting.default) is None, name


def test_the_least_settings_are_enough(component: Component) -> None:
    """With the least it must be told, a component has no problems."""
    assert component.check() == []


def test_a_wrong_value_is_named(implementation: type[Component], least: dict[str, Any]) -> None:
    """Each setting that is of a wrong kind is one sentence with its full name."""
    for name, setting in implementation.SETTINGS.items():
        if setting.kind == "any":
            continue
        problems = implementation.settings_problems({**least, name: object})
        where = f'THYWILL["{implementation.SECTION}"]["{name}"]: expected '
        assert [problem.startswith(where) for problem in problems] == [True], (name, problems)


def test_an_unknown_setting_is_named(
    implementation: type[Component], least: dict[str, Any]
) -> None:
    """A key that means nothing is refused: it is probably a slip."""
    (problem,) = implementation.settings_problems({**least, "no_such_setting": 1})
    assert problem.startswith(
        f'THYWILL["{implementation.SECTION}"]["no_such_setting"]: unknown setting; '
    )


def test_building_and_checking_have_no_effect(
    implementation: type[Component],
    least: dict[str, Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """System checks build components: no file is made, and no thread is started."""
    monkeypatch.chdir(tmp_path)
    threads = threading.active_count()
    implementation(least).check()
    assert snapshot(tmp_path) == set()
    assert threading.active_count() == threads


def test_settings_are_not_changed(component: Component, least: dict[str, Any]) -> None:
    """What was given stays what it was, and the defaults are there."""
    before = {name: setting.default for name, setting in component.SETTINGS.items()}
    assert set(component.settings) == set(component.SETTINGS)
    component.settings.clear()
    assert component.given_settings == least
    assert before == {name: setting.default for name, setting in component.SETTINGS.items()}


def test_a_page_can_be_told(component: Component) -> None:
    """What it adds to a page is JSON, the same kind for every client."""
    told = []
    for _ in range(2):
        configuration = ClientConfiguration(CLIENT.uuid)
        component.bootstrap_client(CLIENT, configuration)
        told.append(json.loads(configuration.to_json()))
    assert set(told[0]["bootstrap_parameters"]) == set(told[1]["bootstrap_parameters"])
    assert told[0]["bootstrap_resources"] == told[1]["bootstrap_resources"]


def test_health_is_short_and_public(component: Component, tmp_path: Path) -> None:
    """It is JSON with a status, and gives no place away."""
    health = component.health()
    assert health["status"] in ("ok", "failed")
    assert str(tmp_path) not in json.dumps(health)


def test_stopping_is_always_possible(component: Component) -> None:
    """A component that was never started can be stopped, twice."""
    component.stop()
    component.stop()
