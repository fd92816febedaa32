"""Settings: what each kind takes, and the sentence when it does not."""

import math
from pathlib import Path
from typing import Any

import pytest

from thywill_server.settings_table import Kind, Setting, file_problem, shortened


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        ("str", "", ""),
        ("int", 5, 5),
        ("float", 5, 5.0),
        ("bool", False, False),
        ("path", "a/b", Path("a/b")),
        ("path", Path("/a"), Path("/a")),
        ("list", ("a", "b"), ["a", "b"]),
        ("names", "one.two", ["one.two"]),
        ("names", ["one", "two"], ["one", "two"]),
        ("mapping", {"a": 1}, {"a": 1}),
        ("dotted path", "package.Name", "package.Name"),
        ("any", object, object),
    ],
)
def test_a_right_value_arrives_in_its_form(kind: Kind, value: Any, expected: Any) -> None:
    """Each kind takes its values and gives them in the form that components work with."""
    setting = Setting(kind=kind, help="x", default=0)
    assert setting.problem(value) is None
    given = setting.value_of(value)
    assert given == expected
    assert type(given) is type(expected)


@pytest.mark.parametrize(
    ("setting", "value", "sentence"),
    [
        (Setting(kind="str", help=""), 5, "expected text, got 5"),
        (Setting(kind="str", help=""), b"x", "expected text, got b'x'"),
        (Setting(kind="int", help="", minimum=1, maximum=65535), "x", "expected 1-65535, got 'x'"),
        (Setting(kind="int", help="", minimum=1, maximum=65535), 0, "expected 1-65535, got 0"),
        (Setting(kind="int", help="", minimum=1, maximum=9), 10, "expected 1-9, got 10"),
        (Setting(kind="int", help=""), True, "expected a whole number, got True"),
        (Setting(kind="int", help=""), 1.5, "expected a whole number, got 1.5"),
        (
            Setting(kind="int", help="", minimum=0),
            -1,
            "expected a whole number of at least 0, got -1",
        ),
        (Setting(kind="float", help="", maximum=2), 3, "expected a number of at most 2, got 3"),
        (Setting(kind="float", help=""), math.nan, "expected a number, got nan"),
        (Setting(kind="bool", help=""), 1, "expected True or False, got 1"),
        (Setting(kind="path", help=""), "", "expected a path, got ''"),
        (Setting(kind="list", help=""), "ab", "expected a list of texts, got 'ab'"),
        (Setting(kind="list", help=""), [1], "expected a list of texts, got [1]"),
        (
            Setting(kind="names", help=""),
            "a b",
            "expected a dotted name or a list of them, got 'a b'",
        ),
        (
            Setting(kind="names", help=""),
            [""],
            "expected a dotted name or a list of them, got ['']",
        ),
        (
            Setting(kind="mapping", help=""),
            {1: 2},
            "expected a mapping with text as keys, got {1: 2}",
        ),
        (
            Setting(kind="dotted path", help=""),
            "a..b",
            "expected a dotted path such as \"package.module.Name\", got 'a..b'",
        ),
        (
            Setting(kind="str", help="", choices=("INFO", "DEBUG")),
            "INFOO",
            'expected one of "INFO", "DEBUG", got \'INFOO\'; did you mean "INFO"?',
        ),
        (
            Setting(kind="list", help="", choices=("longpoll", "xhrstream")),
            ["longpoll", "websockets"],
            'expected a list of "longpoll", "xhrstream", got \'websockets\'',
        ),
        (Setting(kind="int", help="", default=1), None, "expected a whole number, got None"),
        (Setting(kind="int", help="", required=True), None, "expected a whole number, got None"),
    ],
)
def test_a_wrong_value_gets_one_sentence(setting: Setting, value: Any, sentence: str) -> None:
    """The sentence says what was expected and what was found."""
    assert setting.problem(value) == sentence


def test_none_is_fine_where_it_is_the_default() -> None:
    """A setting that may be left out may also be None."""
    setting = Setting(kind="path", help="x")
    assert setting.problem(None) is None
    assert setting.value_of(None) is None


def test_a_secret_is_not_shown() -> None:
    """The value of a secret setting is in no sentence."""
    problem = Setting(kind="str", help="", secret=True).problem(12345)
    assert problem == "expected text, got something else"


def test_long_values_are_cut() -> None:
    """A sentence stays readable whatever the value is."""
    assert shortened("x" * 100) == "'" + "x" * 56 + "..."


def test_a_file_that_can_be_made_has_no_problem(tmp_path: Path) -> None:
    """Missing folders above a file are fine as long as they can be made; nothing is made."""
    assert file_problem(tmp_path / "a" / "b" / "c.log") is None
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_cannot_be_made_is_explained(tmp_path: Path) -> None:
    """A folder in place of a file, and a file in place of a folder, are told apart."""
    file = tmp_path / "file"
    file.touch()
    assert file_problem(tmp_path) == f'expected a file, got the folder "{tmp_path}"'
    below = file / "x.log"
    assert file_problem(below) == f'cannot make "{below}": "{file}" is no folder'


def test_a_place_without_permission_is_explained(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the process may not write, the sentence says so."""
    # Root may write everywhere, and tests may run as root.
    monkeypatch.setattr("os.access", lambda path, mode: False)
    path = tmp_path / "x.log"
    assert file_problem(path) == f'cannot write "{path}": no permission'
