"""What the site's index page says of an application: from its `App`, or from its docstring."""

from __future__ import annotations

import importlib
import inspect
import re
from collections.abc import Collection
from typing import TYPE_CHECKING, Final

from thywill_server.application.base import Listing
from thywill_server.application.packages import folders_of

if TYPE_CHECKING:
    from thywill_server.application.interfaces import Application

MAX_DESCRIPTION_CHARACTERS: Final = 200

_SENTENCE: Final = re.compile(r".+?[.!?](?=\s|$)")


def description_problem(description: object) -> str | None:
    """Say what is wrong with a description; None when nothing is."""
    if description is None:
        return None
    expected = f"expected one line of at most {MAX_DESCRIPTION_CHARACTERS} characters"
    if not isinstance(description, str):
        return f"{expected}, got {type(description).__name__}"
    is_one_line = bool(description.strip()) and description.splitlines() == [description]
    if not is_one_line or len(description) > MAX_DESCRIPTION_CHARACTERS:
        return f"{expected}, got {description!r:.60}"
    return None


def listing_of(application: Application, silent: Collection[str] = ()) -> Listing:
    """Tell of an application what the index page shows.

    Args:
        application: in either form.
        silent: the names of those in other processes that do not answer.
    """
    app = application.app
    return Listing(
        name=application.name,
        title=app.title or application.name.replace("_", " ").capitalize(),
        description=app.description or _first_sentence(application.package),
        icon=app.icon or _icon_of(application),
        is_silent=application.name in silent,
    )


def _icon_of(application: Application) -> str | None:
    """Find the picture that a package has under the usual name."""
    icon = f"{application.name}/icon.svg"
    folders = folders_of(application.package)
    return icon if any((folder / "static" / icon).is_file() for folder in folders) else None


def _first_sentence(package: str) -> str:
    """Give the first sentence of a package's docstring; empty where there is none."""
    if not package:  # an application in another process, known from the settings only
        return ""
    text = inspect.getdoc(importlib.import_module(package)) or ""
    first = " ".join(text.partition("\n\n")[0].split())
    found = _SENTENCE.match(first)
    return (found.group() if found else first)[:MAX_DESCRIPTION_CHARACTERS]
