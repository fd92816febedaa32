"""Application packages for a test: written to a folder of its own, gone from Python afterwards."""

import importlib
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

WriteApplication = Callable[..., str]


@pytest.fixture
def write_application(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[WriteApplication]:
    """``write("chat", "app = ...")`` makes the package ``site_apps.chat`` and gives its name.

    Other files of the package follow as ``{name: source}``.
    """
    folder = tmp_path / "site_apps"
    folder.mkdir()
    monkeypatch.syspath_prepend(str(tmp_path))

    def write(name: str, source: str | None = None, files: dict[str, str] | None = None) -> str:
        package = folder / name
        package.mkdir(exist_ok=True)
        contents = {"__init__.py": "", **(files or {})}
        if source is not None:
            contents["thywill_interface.py"] = source
        for file_name, text in contents.items():
            (package / file_name).write_text(textwrap.dedent(text), encoding="utf-8")
        importlib.invalidate_caches()
        return f"site_apps.{name}"

    yield write
    for module in [name for name in sys.modules if name.split(".")[0] == "site_apps"]:
        del sys.modules[module]
    importlib.invalidate_caches()
