"""What the index page says of an application."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from thywill_server.application import App, RemoteApplication
from thywill_server.application.base import Listing
from thywill_server.application.local_python import LocalPython

DECLARED = """
from thywill_server.application import App
app = App(title="Shop", description="Buy things.", icon="shop/icon.svg")
"""
REMOTE = """
from thywill_server.application import RemoteApplication
app = RemoteApplication(title="Hall", description="Say hello.", icon="hall/icon.svg")
"""
FUNCTIONS = "def message_from_client(uuid, raw_message): pass"


def listing(package: str) -> Listing:
    """Of a component that serves nothing else."""
    (found,) = LocalPython({"packages": package}).listings()
    return found


def test_an_app_says_it_itself(write_application: Callable[..., str]) -> None:
    """Title, description and icon are those of the declaration."""
    package = write_application("shop", DECLARED, {"__init__.py": '"""Another sentence."""'})
    assert listing(package) == Listing("shop", "Shop", "Buy things.", "shop/icon.svg")


@pytest.mark.parametrize(
    ("docstring", "sentence"),
    [
        ("", ""),
        ("Echo: the smallest one. And more.", "Echo: the smallest one."),
        ("Version 1.5 of it, and\n    no end\n\nMore.", "Version 1.5 of it, and no end"),
        ("x" * 300, "x" * 200),
    ],
)
def test_two_functions_are_told_by_their_package(
    write_application: Callable[..., str], docstring: str, sentence: str
) -> None:
    """The title is the name as people write it, the description the docstring's first sentence."""
    files = {"__init__.py": f'"""{docstring}"""'}
    package = write_application("two_functions", FUNCTIONS, files)
    assert listing(package) == Listing("two_functions", "Two functions", sentence)


def test_an_icon_of_the_usual_name_is_found(
    write_application: Callable[..., str], tmp_path: Path
) -> None:
    """A package that says nothing of its picture has it at static/NAME/icon.svg."""
    package = write_application("two_functions", FUNCTIONS)
    assert listing(package).icon is None
    icon = tmp_path / "site_apps/two_functions/static/two_functions/icon.svg"
    icon.parent.mkdir(parents=True)
    icon.touch()
    assert listing(package).icon == "two_functions/icon.svg"


@pytest.mark.parametrize("description", [5, "", " ", "a\nb", "x" * 201])
def test_a_description_is_one_line(description: Any) -> None:
    """What cannot be shown as a sentence is refused where it is written."""
    with pytest.raises(ValueError, match="App: description: expected one line of at most 200"):
        App(description=description)
    assert RemoteApplication(description=description).problems() != []


def test_an_application_in_another_process_says_it_too(
    write_application: Callable[..., str],
) -> None:
    """The package's declaration is what the site knows, whether the process is there or not."""
    package = write_application("hall", REMOTE)
    assert listing(package) == Listing("hall", "Hall", "Say hello.", "hall/icon.svg")
