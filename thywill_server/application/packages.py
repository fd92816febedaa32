"""Where the application packages are; found by looking at folders, without importing them.

``settings.py`` asks this to fill ``INSTALLED_APPS``, when nothing of an application can be imported
yet, so a name that leads nowhere is left to the system checks.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Iterable
from pathlib import Path

INTERFACE_MODULES = ("thywill_interface", "app")
"""The modules of a package that may hold its interface, in the order they are looked for; the
package itself comes last."""


def application_packages(packages: Iterable[str]) -> list[str]:
    """Give the application packages' dotted names.

    Args:
        packages: each the name of an application package, or of a folder of application packages.

    Returns:
        names in the order given, a folder's in alphabetical order; each once. Names that cannot be
        found are in it too: importing them says why.
    """
    found: dict[str, None] = {}
    for name in packages:
        folders = folders_of(name)
        if not folders or any(is_application(folder) for folder in folders):
            found[name] = None
            continue
        inside = {
            path.name
            for folder in folders
            for path in folder.iterdir()
            if _may_be_application(path)
        }
        found.update((f"{name}.{child}", None) for child in sorted(inside))
    return list(found)


def folders_of(name: str) -> list[Path]:
    """Give the folders of a package, several for a namespace package, without importing it."""
    first, *rest = name.split(".")
    try:
        # For a name without dots this only asks the finders; with dots it would import parents.
        spec = importlib.util.find_spec(first) if first else None
    except (ImportError, ValueError):
        return []
    locations = spec.submodule_search_locations if spec is not None else None
    folders = [Path(location).absolute() for location in locations or ()]
    return [
        folder.joinpath(*rest)
        for folder in folders
        if folder.joinpath(*rest).is_dir() and all(rest)
    ]


def is_application(folder: Path) -> bool:
    """Whether a folder has a module that may hold an application's interface."""
    return any((folder / f"{module}.py").is_file() for module in INTERFACE_MODULES)


def _may_be_application(path: Path) -> bool:
    return (
        path.is_dir()
        and not path.name.startswith(("_", "."))
        and (is_application(path) or (path / "__init__.py").is_file())
    )
