"""Applications in this process: what a check says about settings and packages."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from thywill_server.application.local_python import LocalPython
from thywill_server.errors import ConfigurationError

ECHO = """
def message_from_client(uuid, raw_message):
    return raw_message
"""


def problems(settings: dict[str, Any]) -> list[tuple[str, str]]:
    """Ids and sentences of a check, which a use of the component would raise as well."""
    component = LocalPython(settings)
    found = component.check()
    if not any("default" in sentence for sentence in found):
        with pytest.raises(ConfigurationError) as raised:
            component.application_names()
        assert list(raised.value.problems) == found
    return [(problem.id[-4:], str(problem)) for problem in found]  # type: ignore[attr-defined]


def test_a_broken_package_is_one_sentence(write_application: Callable[..., str]) -> None:
    """It has the module and the reason, and the others are looked at as well."""
    write_application("good", ECHO)
    write_application("broken", "import nothing_here")
    write_application("empty")
    where = 'THYWILL["application"]["packages"]'
    assert problems({"packages": "site_apps", "default": "broken"}) == [
        (
            "E007",
            f'{where}: cannot import "site_apps.broken.thywill_interface" '
            "(No module named 'nothing_here')",
        ),
        (
            "E008",
            f'{where}: "site_apps.empty" holds no application; write thywill_interface.py with '
            "app = App(...), or with message_from_client(uuid, text)",
        ),
    ]


def test_a_package_that_is_not_there_is_one_sentence() -> None:
    """A mistyped name is repeated; a folder with nothing in it says what to write."""
    where = 'THYWILL["application"]["packages"]'
    assert problems({"packages": ["thywil_apps"]}) == [
        ("E008", f'{where}: there is no package "thywil_apps"')
    ]
    assert problems({"packages": []})[0][1].startswith(
        f"{where}: no application package in an empty list; write thywill_interface.py"
    )


def test_a_name_that_python_cannot_import_is_said(write_application: Callable[..., str]) -> None:
    """A folder called my-app is not passed over in silence."""
    write_application("my-app", ECHO)
    assert problems({"packages": "site_apps"}) == [
        (
            "E008",
            'THYWILL["application"]["packages"]: "site_apps.my-app" is no name for a package; '
            "use letters and _",
        )
    ]


def test_two_applications_of_one_name_are_refused(
    write_application: Callable[..., str], tmp_path: Path
) -> None:
    """The address /thywill/init/NAME/ can only lead to one of them."""
    write_application("echo", ECHO)
    write_application("more")
    inner = tmp_path / "site_apps" / "more" / "echo"
    inner.mkdir()
    (inner / "thywill_interface.py").write_text(ECHO)
    assert problems({"packages": ["site_apps.echo", "site_apps.more.echo"]}) == [
        (
            "E008",
            'THYWILL["application"]["packages"]: "site_apps.echo" and "site_apps.more.echo" '
            'are both called "echo"',
        )
    ]


@pytest.mark.parametrize(
    ("default", "hint"),
    [("shpo", '; did you mean "shop"?'), ("zzz", "; there are echo, shop")],
)
def test_an_unknown_default_is_one_sentence(
    write_application: Callable[..., str], default: str, hint: str
) -> None:
    """The sentence has the name that was probably meant, or all of them."""
    write_application("shop", ECHO)
    write_application("echo", ECHO)
    assert problems({"packages": "site_apps", "default": default}) == [
        ("E009", f'THYWILL["application"]["default"]: no application "{default}"{hint}')
    ]


def test_settings_are_checked_first() -> None:
    """Wrong settings are told without looking for packages."""
    assert LocalPython({"packages": 5, "handler_timeout_seconds": 0}).check() == [
        'THYWILL["application"]["packages"]: expected a dotted name or a list of them, got 5',
        'THYWILL["application"]["handler_timeout_seconds"]: expected 0.001-3600, got 0',
    ]
