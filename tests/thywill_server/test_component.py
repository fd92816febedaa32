"""What all components share."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import pytest

from thywill_server.client import Client
from thywill_server.client_configuration import ClientConfiguration
from thywill_server.component import Component, Problem, Setting


class Radio(Component):
    SECTION: ClassVar[str] = "push"
    SETTINGS: ClassVar[Mapping[str, Setting]] = {
        "stomp_port": Setting(kind="int", help="x", default=61613, minimum=1, maximum=65535),
        "folder": Setting(kind="path", help="x", default="here"),
        "name": Setting(kind="str", help="x", required=True),
        "words": Setting(kind="list", help="x", default=[]),
    }


def test_defaults_are_filled_in() -> None:
    """Settings that are not given have their default, in its final form."""
    radio = Radio({"name": "one"})
    assert radio.settings == {
        "stomp_port": 61613,
        "folder": Path("here"),
        "name": "one",
        "words": [],
    }


def test_a_default_is_not_shared() -> None:
    """Changing the list of one component changes no other."""
    Radio({"name": "one"}).settings["words"].append("x")
    assert Radio({"name": "two"}).settings["words"] == []


def test_right_settings_have_no_problems() -> None:
    """A component whose settings are fine checks clean."""
    assert Radio({"name": "one", "stomp_port": 1}).check() == []


def test_every_wrong_setting_gets_its_sentence() -> None:
    """Unknown, missing and wrong settings are all named, with the section they are in."""
    assert Radio({"stomp_prot": 5, "stomp_port": "x", "xyz": 1}).check() == [
        'THYWILL["push"]["stomp_prot"]: unknown setting; did you mean "stomp_port"?',
        'THYWILL["push"]["xyz"]: unknown setting; '
        'Radio has "stomp_port", "folder", "name", "words"',
        'THYWILL["push"]["stomp_port"]: expected 1-65535, got \'x\'',
        'THYWILL["push"]["name"]: missing; expected text',
    ]


def test_a_wrong_setting_does_not_break_construction() -> None:
    """A component can be built to be asked what is wrong with it."""
    assert Radio({"stomp_port": "x"}).settings["stomp_port"] == "x"


def test_collaborators_are_kept_by_name() -> None:
    """A component has the collaborators that it was given."""
    other = Radio({"name": "other"})
    assert Radio({"name": "one"}, log=other).collaborators == {"log": other}


def test_doing_nothing_is_fine() -> None:
    """A component that overrides nothing can be started, asked, used and stopped."""
    radio = Radio({"name": "one"})
    radio.start()
    configuration = ClientConfiguration("u")
    radio.bootstrap_client(Client("u", None, None, "x"), configuration)
    assert configuration.to_dict()["bootstrap_parameters"] == {}
    assert radio.health() == {"status": "ok"}
    assert radio.stop() is None


@pytest.mark.parametrize(("given", "id_"), [((), "thywill.E006"), (("a.E1",), "a.E1")])
def test_a_problem_is_a_sentence_with_an_id(given: tuple[Any, ...], id_: str) -> None:
    """A problem reads as text and knows the id of its system check."""
    problem = Problem("so it is", *given)
    assert problem == "so it is"
    assert problem.id == id_
