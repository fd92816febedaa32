"""What the documentation names is there: files, modules, settings, commands."""

import importlib
import re
from collections.abc import Iterator
from dataclasses import fields
from functools import cache
from pathlib import Path

import pytest
from django.core.management import get_commands

from morbid.limits import Limits
from orbited.config import SECTIONS
from orbited.fields import fields_of, spelling
from tests.contracts.implementations import implementations
from tests.support.documentation import ROOT

PAGES = sorted([ROOT / "README.md", *ROOT.glob("documentation/**/*.md")])

# The benchmarks' page is about other systems too, and is written by a program.
PAGES = [page for page in PAGES if page.name != "benchmarks.md"]

FOLDERS = ("benchmarks", "documentation", "morbid", "orbited", "static", "stompservice", "tests")
FILE = re.compile(rf"(?:{'|'.join(FOLDERS)}|thywill_server|thywill_apps)/[\w./-]+")
MODULE = re.compile(r"(?:thywill_server|orbited|morbid|stompservice)(?:\.\w+)+")
SETTING = re.compile(r"(?:max_\w+|\w+_(?:seconds|bytes))")
MANAGE = re.compile(r"manage\.py (\w+)")


def named_in(page: Path) -> Iterator[str]:
    """Every text that is marked as code within a line; what code blocks make is left out."""
    text = page.read_text(encoding="utf-8")
    text = re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE)
    yield from re.findall(r"`([^`\n]+)`", text)


def written_by(page: Path) -> set[str]:
    """The files that a page tells to write, and the folders that they are in."""
    paths = re.findall(
        r"^```\w+\n(?:#|//) (\S+/\S+)$", page.read_text(encoding="utf-8"), re.MULTILINE
    )
    return {
        str(each).removeprefix("./") + end
        for path in paths
        for each in (Path(path), *Path(path).parents)
        for end in ("", "/")
    }


def settings() -> set[str]:
    """The settings of all components, of orbited.cfg, and the limits of MorbidQ."""
    found = {name for cls in implementations() for name in cls.SETTINGS}
    for section in SECTIONS.values():
        found |= {spelling(field) for field in fields_of(section).values()}
    return found | {each.name for each in fields(Limits)}


@cache
def texts_of_code() -> str:
    """All that the packages are written in."""
    packages = ("thywill_server", "orbited", "morbid", "stompservice")
    modules = [path for package in packages for path in sorted((ROOT / package).rglob("*.py"))]
    return "".join(path.read_text(encoding="utf-8") for path in modules)


@pytest.fixture(params=PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def page(request: pytest.FixtureRequest) -> Path:
    """Each page in turn."""
    found: Path = request.param
    return found


def test_files(page: Path) -> None:
    """A path below one of the project's folders leads to something."""
    # What the page tells to write, and what else belongs into a folder that it makes.
    own = {name for name in written_by(page) if not (ROOT / name).exists()}
    wrong = [
        name
        for name in named_in(page)
        if FILE.fullmatch(name)
        and not (ROOT / name).exists()
        and own.isdisjoint({name, str(Path(name).parent)})
    ]
    # A pattern such as thywill_apps/NAME is no path.
    assert [name for name in wrong if not re.search(r"\b[A-Z]{4,}\b", name)] == []


def test_modules(page: Path) -> None:
    """A dotted name can be imported, and has what is behind its last dot."""
    for name in named_in(page):
        if not MODULE.fullmatch(name) or name.endswith(".cfg"):
            continue
        parts = name.split(".")
        for length in range(len(parts), 0, -1):
            try:
                found = importlib.import_module(".".join(parts[:length]))
            except ModuleNotFoundError:
                continue
            break
        if f'"{name}"' in texts_of_code():
            continue  # the name of a logger
        for part in parts[length:]:
            assert hasattr(found, part), f"{page.name}: {name}"
            found = getattr(found, part)


def test_settings(page: Path) -> None:
    """What looks like a bound is a setting, of a component, of Orbited, or of MorbidQ."""
    known = settings()
    assert [name for name in named_in(page) if SETTING.fullmatch(name) and name not in known] == []


def test_commands(page: Path) -> None:
    """A command of manage.py is one, within a line and in a block."""
    known = get_commands()
    text = page.read_text(encoding="utf-8")
    assert [name for name in MANAGE.findall(text) if name not in known] == []
