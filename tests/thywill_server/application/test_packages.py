"""Finding application packages without importing them."""

import sys
import types
from collections.abc import Callable
from pathlib import Path

import pytest

from thywill_server.application.packages import application_packages, folders_of


def test_a_folder_gives_its_packages(write_application: Callable[..., str], tmp_path: Path) -> None:
    """Every package in it is found, in alphabetical order; what is no package is not."""
    write_application("zebra", "")
    write_application("by_app", files={"app.py": ""})
    write_application("plain")
    write_application("_hidden", "")
    folder = tmp_path / "site_apps"
    (folder / "static").mkdir()
    (folder / "README.md").touch()
    (folder / "module.py").touch()
    assert application_packages(["site_apps"]) == [
        "site_apps.by_app",
        "site_apps.plain",
        "site_apps.zebra",
    ]


def test_a_list_keeps_its_order(write_application: Callable[..., str]) -> None:
    """Packages and folders may be mixed; each package is listed once."""
    write_application("alpha", "")
    write_application("beta", "")
    assert application_packages(["site_apps.beta", "site_apps"]) == [
        "site_apps.beta",
        "site_apps.alpha",
    ]


def test_a_name_that_leads_nowhere_stays(write_application: Callable[..., str]) -> None:
    """A mistyped name is kept for whoever imports it and says why."""
    write_application("alpha", "")
    assert application_packages(["site_apps.alpah", "nowhere", "no.where"]) == [
        "site_apps.alpah",
        "nowhere",
        "no.where",
    ]


def test_nothing_is_imported(write_application: Callable[..., str]) -> None:
    """Not even the package above."""
    write_application("alpha", "raise RuntimeError")
    application_packages(["site_apps"])
    assert "site_apps" not in sys.modules


def test_parts_of_a_namespace_are_all_seen(
    write_application: Callable[..., str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Packages of one name in two places of the path are one folder."""
    write_application("alpha", "")
    other = tmp_path / "elsewhere" / "site_apps" / "beta"
    other.mkdir(parents=True)
    (other / "thywill_interface.py").touch()
    monkeypatch.syspath_prepend(str(tmp_path / "elsewhere"))
    assert application_packages(["site_apps"]) == ["site_apps.alpha", "site_apps.beta"]


@pytest.mark.parametrize("name", ["", ".", "a.", ".a", "__main__", "sys", "thywill_server.errors"])
def test_what_is_no_package_has_no_folder(name: str) -> None:
    """Odd names, modules and built-ins have no folders, and do no harm."""
    assert folders_of(name) == []


def test_a_module_made_by_hand_has_no_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    """A module that no finder found, as in some interactive tools, does no harm."""
    monkeypatch.setitem(sys.modules, "by_hand", types.ModuleType("by_hand"))
    assert folders_of("by_hand") == []
