"""Write a new application: a page, what the server does for it, and a test that passes.

The package goes to the folder of applications that the setting THYWILL names, and is served at
/thywill/init/NAME/ from then on.

    manage.py thywill startapp dice
    manage.py thywill startapp dice --title "Rolling dice"
"""

from __future__ import annotations

import keyword
import os
import re
import tempfile
import unicodedata
from argparse import ArgumentParser
from collections.abc import Iterator, Mapping
from pathlib import Path
from shutil import rmtree
from typing import Any, Final

from django.apps import apps as django_apps
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.urls import NoReverseMatch, reverse

from thywill_server.application.packages import folders_of, is_application
from thywill_server.components import installed_applications

TEMPLATES: Final = Path(__file__).parents[1] / "templates" / "startapp"
SUFFIX: Final = "-tpl"
MAX_NAME_CHARACTERS: Final = 50

RESERVED: Final = frozenset(
    {"admin", "init", "morbid", "orbited", "static", "stompservice", "templates", "test", "tests"}
    | {"thywill", "thywill_server", "thywill_apps"}
)
"""Names that other things of a site have."""


def add_arguments(parser: ArgumentParser) -> None:
    """Take the name and the title."""
    parser.add_argument("name", help="small letters, digits and _; the page's address has it")
    parser.add_argument("--title", help="what the page is called; made of the name by default")


def run(command: BaseCommand, options: dict[str, Any]) -> None:
    """Write it, and say what to do next."""
    name = options["name"]
    title = options["title"] or name.replace("_", " ").strip().capitalize()
    check_name(name)
    check_title(title)
    package, folder = folder_of_applications()
    target = folder / name
    if target.exists():
        raise CommandError(f"{_shown(target)} is there already; nothing was changed.")
    check_free(name)
    written = list(write(target, name, title))
    command.stdout.write(f"{_shown(target)}/ is written:")
    for path in written:
        command.stdout.write(f"    {path.relative_to(target)}")
    command.stdout.write(told_at_the_end(name, package, target))


def check_name(name: str) -> None:
    """Refuse what cannot be the name of a package, of an application, and a part of an address.

    Raises:
        CommandError: one sentence, with a name that could be.
    """
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name):
        plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
        likely = re.sub(r"[^a-z0-9]+", "_", plain).strip("_0123456789")
        hint = likely if likely and not keyword.iskeyword(likely) else "dice"
        raise CommandError(
            f'"{name}" cannot be the name of an application: expected small letters, digits and _, '
            f'beginning with a letter, such as "{hint}".'
        )
    if len(name) > MAX_NAME_CHARACTERS:
        raise CommandError(
            f'"{name[:20]}..." is too long for a name: expected at most {MAX_NAME_CHARACTERS} '
            f"characters, got {len(name)}."
        )
    if keyword.iskeyword(name):
        raise CommandError(f'"{name}" is a word of Python\'s, and no name for a package.')
    if name in RESERVED:
        raise CommandError(f'"{name}" is taken by the site itself; choose another name.')


def check_title(title: str) -> None:
    """Refuse what could not stand in Python and HTML as it is.

    Raises:
        CommandError: it has a character that means something there.
    """
    wrong = [mark for mark in title if not mark.isprintable() or mark in '"\\<>&%{}']
    if wrong:
        raise CommandError(f"--title: expected plain text, got {wrong[0]!r} in {title!r}.")


def check_free(name: str) -> None:
    """Refuse a name that an installed application has.

    Raises:
        CommandError: with whose name it is.
    """
    for config in django_apps.get_app_configs():
        if config.label == name:
            raise CommandError(f'"{name}" is the name of {config.name} already; choose another.')


def folder_of_applications() -> tuple[str, Path]:
    """Find where applications are dropped in: dotted name and folder.

    Raises:
        CommandError: the settings name no such folder.
    """
    thywill: Mapping[str, Any] = settings.THYWILL
    names = thywill.get("application", {}).get("packages", [])
    for name in [names] if isinstance(names, str) else names:
        for folder in folders_of(name):
            if not is_application(folder):
                return name, folder
    raise CommandError(
        'THYWILL["application"]["packages"] names no folder that applications are dropped into: '
        'make it "thywill_apps", or add that to the list.'
    )


def write(target: Path, name: str, title: str) -> Iterator[Path]:
    """Write the package, all of it or nothing; gives its files.

    Raises:
        CommandError: the folder cannot be written to.
    """
    words = {"name": name, "title": title, "class": name.title().replace("_", "")}
    try:
        # Where a site runs that starts anew with new code, it sees a whole package at once.
        draft = Path(tempfile.mkdtemp(prefix=f".{name}-", dir=target.parent))
    except OSError as error:
        raise CommandError(f"{_shown(target.parent)} cannot be written to: {error}.") from error
    try:
        draft.chmod(0o777 & ~_umask())
        places = list(_places(name))
        for source, place in places:
            text = source.read_text(encoding="utf-8")
            for word, value in words.items():
                text = text.replace(f"%{word}%", value)
            (draft / place).parent.mkdir(parents=True, exist_ok=True)
            (draft / place).write_text(text, encoding="utf-8")
        draft.rename(target)
    except OSError as error:
        rmtree(draft, ignore_errors=True)
        raise CommandError(f"{_shown(target)} cannot be written: {error}.") from error
    yield from (target / place for _, place in places)


def _places(name: str) -> Iterator[tuple[Path, Path]]:
    """Give each template, and where in a package it goes."""
    for source in sorted(TEMPLATES.rglob(f"*{SUFFIX}")):
        place = source.relative_to(TEMPLATES)
        # static/ and templates/ have a folder with the application's name in them, as Django's do.
        inner = (name,) if place.parts[0] in ("static", "templates") else ()
        file = place.name.removesuffix(SUFFIX).replace("NAME", name)
        yield source, Path(*place.parts[:-1], *inner, file)


def told_at_the_end(name: str, package: str, target: Path) -> str:
    """Say what to do next."""
    try:
        address = reverse("thywill:init", args=[name])
    except NoReverseMatch:
        address = f"/thywill/init/{name}/"
    known = f"{package}.{name}" in installed_applications(settings.THYWILL)
    serving = f"./run, or manage.py runthywill, serves it at {address}"
    if not known:
        serving = f'add "{package}.{name}" to THYWILL["application"]["packages"]; then {address}'
    return (
        "What to do next:\n"
        f"    open   {serving}\n"
        f"    test   python manage.py test {package}.{name}\n"
        f"    change {_shown(target / 'thywill_interface.py')} and "
        f"{_shown(target / 'static' / name / f'{name}.js')}"
    )


def _shown(path: Path) -> str:
    """Give a path as a person would write it here."""
    try:
        return path.relative_to(Path.cwd()).as_posix()
    except ValueError:
        return str(path)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
