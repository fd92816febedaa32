"""From ``THYWILL`` to five components, or to the sentences that say why not."""

import copy
import logging
import logging.config
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.recording import RECORDING, RecordingPush
from thywill_server.application.local_python import LocalPython
from thywill_server.components import (
    Components,
    django_database,
    import_dotted,
    installed_applications,
    load,
    logging_config,
    problems,
)
from thywill_server.errors import ConfigurationError

ECHO = """
from thywill_server.application import send_message_to_client
def message_from_client(uuid, raw_message):
    send_message_to_client(uuid, raw_message)
"""


class Grumpy(RecordingPush):
    """A component of which nothing works."""

    def stop(self) -> None:
        """Fail."""
        raise RuntimeError("no")

    def health(self) -> dict[str, Any]:
        """Fail."""
        raise RuntimeError("no")


@pytest.fixture
def thywill(write_application: Callable[..., str]) -> dict[str, Any]:
    """A whole and right ``THYWILL`` with one application."""
    settings = copy.deepcopy(RECORDING)
    settings["application"]["packages"] = [write_application("echo", ECHO)]
    return settings


def test_load_builds_the_five(thywill: dict[str, Any]) -> None:
    """Each component is there by name, and iterating gives the bootstrap order."""
    components = load(thywill)
    assert isinstance(components.application, LocalPython)
    assert [component.SECTION for component in components] == [
        "log",
        "database",
        "push",
        "client_interface",
        "application",
    ]


def test_collaborators_are_given(thywill: dict[str, Any]) -> None:
    """Each component has those that were built before it."""
    components = load(thywill)
    assert components.log.collaborators == {}
    assert components.database.collaborators == {"log": components.log}
    assert set(components.push.collaborators) == {"log", "database"}
    assert components.application.push is components.push
    assert components.client_interface.application is components.application
    assert components.client_interface.push is components.push


def test_start_and_stop_go_in_order(thywill: dict[str, Any]) -> None:
    """Components start in bootstrap order and stop in the reverse, keeping their Deferreds."""
    components = load(thywill)
    calls: list[str] = []
    for component in components:
        section = component.SECTION

        def start(section: str = section) -> None:
            calls.append(f"start {section}")

        def stop(section: str = section) -> str | None:
            calls.append(f"stop {section}")
            return "a Deferred" if section == "push" else None

        component.start, component.stop = start, stop  # type: ignore[method-assign]
    components.start()
    assert components.stop() == ["a Deferred"]
    order = ["log", "database", "push", "client_interface", "application"]
    assert calls == [f"start {s}" for s in order] + [f"stop {s}" for s in reversed(order)]


def test_one_broken_component_keeps_no_other_from_stopping(
    thywill: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    """A component that cannot stop, or has no health, is logged and shown as failed."""
    built = {component.SECTION: component for component in load(thywill)}
    built["push"] = Grumpy({})
    components = Components(built)
    stopped: list[str] = []
    components.log.stop = lambda: stopped.append("log")  # type: ignore[method-assign]
    assert components.stop() == []
    assert stopped == ["log"]
    health = components.health()
    assert health["push"] == {"status": "failed"}
    assert health["application"] == {"status": "ok", "applications": 1}
    assert [record.getMessage() for record in caplog.records] == [
        "could not stop the push component",
        "no health from the push component",
    ]


@pytest.mark.parametrize(("value", "got"), [(None, "nothing"), ("echo", "'echo'"), ([1], "[1]")])
def test_thywill_is_a_mapping(value: Any, got: str) -> None:
    """A THYWILL that is missing, or of another kind, is one sentence."""
    sentence = f"THYWILL: expected a mapping with the five components, got {got}"
    assert problems(value) == [("thywill.E001", sentence)]
    with pytest.raises(ConfigurationError) as raised:
        load(value)
    assert str(raised.value) == sentence


def wrong(thywill: dict[str, Any], section: str, value: Any) -> list[tuple[str, str]]:
    """The problems when one section is replaced, and that ``load`` says the same."""
    changed = {**thywill, section: value}
    found = problems(changed)
    with pytest.raises(ConfigurationError) as raised:
        load(changed)
    assert list(raised.value.problems) == [sentence for _, sentence in found]
    return found


def test_a_right_thywill_has_no_problems(thywill: dict[str, Any]) -> None:
    """What loads has no problems."""
    assert problems(thywill) == []


def test_an_unknown_component_is_named(thywill: dict[str, Any]) -> None:
    """A key that is none of the five is refused, with the one that was probably meant."""
    assert wrong(thywill, "pusch", {}) == [
        ("thywill.E002", 'THYWILL["pusch"]: unknown component; did you mean "push"?')
    ]


def test_a_missing_component_is_named(thywill: dict[str, Any]) -> None:
    """All five must be given; the sentence has an example to paste."""
    del thywill["database"]
    assert problems(thywill) == [
        (
            "thywill.E003",
            'THYWILL["database"]: missing; for example '
            '{"component": "thywill_server.database.sqlite.Sqlite"}',
        )
    ]


@pytest.mark.parametrize(
    ("value", "id_", "sentence"),
    [
        ("x", "E003", 'THYWILL["push"]: expected a mapping with "component", got \'x\''),
        (
            {},
            "E003",
            'THYWILL["push"]["component"]: expected a dotted path such as '
            '"thywill_server.push.orbited_stomp.OrbitedStomp", it is missing',
        ),
        (
            {"component": RecordingPush},
            "E003",
            'THYWILL["push"]["component"]: expected a dotted path such as '
            '"thywill_server.push.orbited_stomp.OrbitedStomp", '
            "got <class 'tests.support.recording.RecordingPush'>",
        ),
        (
            {"component": "thywill_server.push.orbitd.OrbitedStomp"},
            "E004",
            'THYWILL["push"]["component"]: cannot import "thywill_server.push.orbitd" '
            "(No module named 'thywill_server.push.orbitd')",
        ),
        (
            {"component": "tests.support.recording.RecordinPush"},
            "E004",
            'THYWILL["push"]["component"]: "tests.support.recording" has no "RecordinPush"; '
            'did you mean "RecordingPush"?',
        ),
        (
            {"component": "orbited"},
            "E004",
            'THYWILL["push"]["component"]: expected a dotted path such as '
            "\"package.module.Name\", got 'orbited'",
        ),
        (
            {"component": "tests.support.recording.NullLog"},
            "E005",
            'THYWILL["push"]["component"]: "tests.support.recording.NullLog" '
            "is not a PushComponent",
        ),
        (
            {"component": "tests.support.recording.RECORDING"},
            "E005",
            'THYWILL["push"]["component"]: "tests.support.recording.RECORDING" '
            "is not a PushComponent",
        ),
        (
            {"component": "thywill_server.push.base.PushComponent"},
            "E005",
            'THYWILL["push"]["component"]: "thywill_server.push.base.PushComponent" '
            "lacks destination_of, publish, ticket",
        ),
        (
            {"component": "tests.support.recording.RecordingPush", "stomp_port": 1},
            "E006",
            'THYWILL["push"]["stomp_port"]: unknown setting; RecordingPush has no settings',
        ),
    ],
)
def test_a_wrong_component_is_one_sentence(
    thywill: dict[str, Any], value: Any, id_: str, sentence: str
) -> None:
    """Whatever is wrong with a component, the sentence has the setting and the reason."""
    assert wrong(thywill, "push", value) == [(f"thywill.{id_}", sentence)]


def test_everything_wrong_is_said_at_once() -> None:
    """Somebody with five mistakes hears of five."""
    found = problems({"log": {"component": "x"}, "nothing": 1})
    assert [id_[-4:] for id_, _ in found] == ["E002", "E004", "E003", "E003", "E003", "E003"]


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("import nothing_of_the_kind", "No module named 'nothing_of_the_kind'"),
        ("def f(:", "SyntaxError: invalid syntax (broken.py, line 1)"),
        ("x = 1\nx.y", "AttributeError: 'int' object has no attribute 'y', broken.py line 2"),
        ("from os import nothing", None),
    ],
)
def test_a_module_that_fails_says_where(
    write_application: Callable[..., str], source: str, reason: str | None
) -> None:
    """A component's module with a mistake in it gives the error, and the line."""
    package = write_application("own", files={"broken.py": source})
    with pytest.raises(ConfigurationError) as raised:
        import_dotted(f"{package}.broken.Name")
    text = str(raised.value)
    assert text.startswith(f'cannot import "{package}.broken" (')
    assert "\n" not in text
    assert reason is None or text == f'cannot import "{package}.broken" ({reason})'


def test_installed_applications_imports_nothing(write_application: Callable[..., str]) -> None:
    """The packages for INSTALLED_APPS are found by their folders, broken ones too."""
    write_application("beta", "raise RuntimeError")
    write_application("alpha", files={"__init__.py": "raise RuntimeError"})
    thywill = {"application": {"packages": "site_apps"}}
    assert installed_applications(thywill) == ["site_apps.alpha", "site_apps.beta"]


@pytest.mark.parametrize(
    "thywill",
    [
        None,
        5,
        {},
        {"application": "x", "log": 1, "database": []},
        {"application": {}, "log": {}, "database": {}},
        {
            "application": {"packages": 5},
            "log": {"component": "no.such.thing"},
            "database": {"component": "tests.support.recording.NullLog"},
        },
        {
            "application": {"packages": ["no_such_folder", 5, "a b", ""]},
            "log": {"component": "thywill_server.log.console.Console", "level": "LOUD"},
            "database": {"component": "thywill_server.database.sqlite.Sqlite", "name": 5},
        },
    ],
)
def test_settings_can_always_be_read(thywill: Any) -> None:
    """What settings.py calls never raises for a mistake: the system check must have its say."""
    assert installed_applications(thywill) == []
    assert django_database(thywill)["NAME"] == ":memory:"
    logging.config.DictConfigurator(logging_config(thywill))  # type: ignore[no-untyped-call]
    assert logging_config(thywill)["version"] == 1


def test_settings_get_what_the_components_say(tmp_path: Path) -> None:
    """The database and the log that are configured are the ones that Django gets."""
    thywill = {
        "database": {
            "component": "thywill_server.database.sqlite.Sqlite",
            "name": tmp_path / "new" / "x.sqlite3",
        },
        "log": {"component": "thywill_server.log.console.Console", "level": "WARNING"},
    }
    assert django_database(thywill)["NAME"] == str(tmp_path / "new" / "x.sqlite3")
    assert logging_config(thywill)["loggers"]["thywill_server"]["level"] == "WARNING"


def test_application_packages_are_logged(write_application: Callable[..., str]) -> None:
    """An application anywhere logs with its own name, without any setting."""
    name = write_application("echo", ECHO)
    thywill = {
        "application": {"packages": [name]},
        "log": {"component": "thywill_server.log.console.Console"},
    }
    assert name in logging_config(thywill)["loggers"]
