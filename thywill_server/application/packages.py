"""Where the application packages are; found by looking at folders, without importing them.

``settings.py`` asks this to fill ``INSTALLED_APPS``, when nothing of an application can be imported
yet, so a name that leads nowhere is left to the system checks.
"""

from __future__ import annotations

import sys
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
    bases = [Path(entry or ".") for entry in sys.path]
    folders = [base / first for base in bases if (base / first).is_dir()]
    regular = [folder for folder in folders if (folder / "__init__.py").is_file()]
    folders = regular[:1] or folders
    for part in rest:
        folders = [folder / part for folder in folders if (folder / part).is_dir()]
    return [folder.absolute() for folder in folders]


def is_application(folder: Path) -> bool:
    """Whether a folder has a module that may hold an application's interface."""
    return any((folder / f"{module}.py").is_file() for module in INTERFACE_MODULES)


def _may_be_application(path: Path) -> bool:
    return (
        path.name.isidentifier()
        and not path.name.startswith("_")
        and path.is_dir()
        and (is_application(path) or (path / "__init__.py").is_file())
    )
