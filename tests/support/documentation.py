"""The code of the documentation's pages, and a copy of the site to put it into."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.ports import free_port

ROOT = Path(__file__).parents[2]

_FILE = re.compile(r"^```\w+\n(?:#|//) (\S+/\S+)\n(.*?)^```", re.DOTALL | re.MULTILINE)


def text_of(page: str) -> str:
    """A page, by its path in the repository."""
    return (ROOT / page).read_text(encoding="utf-8")


def files(page: str) -> list[tuple[str, str]]:
    """Path and content of the code blocks that begin with a path, in their order."""
    return _FILE.findall(text_of(page))


def write(checkout: Path, path: str, text: str) -> None:
    """Write one of the documentation's files where it says."""
    (checkout / path).parent.mkdir(parents=True, exist_ok=True)
    (checkout / path).write_text(text, encoding="utf-8")


def make_checkout(folder: Path) -> Path:
    """Copy what makes a site into a folder."""
    # What Python compiles meanwhile, in other processes, has another name until it is complete.
    incomplete = shutil.ignore_patterns("*.pyc.*")
    for name in ("thywill_apps", "static"):
        shutil.copytree(ROOT / name, folder / name, ignore=incomplete)
    for name in ("settings.py", "manage.py"):
        shutil.copy(ROOT / name, folder)
    return folder


def settings_with(checkout: Path, block: str) -> None:
    """Put a block of a page into the copy's ``settings.py``, behind ``THYWILL``."""
    before, mark, after = text_of("settings.py").partition("# --- Django ---")
    assert mark
    (checkout / "settings.py").write_text(f"{before}{block}{mark}{after}", encoding="utf-8")


def environment(checkout: Path) -> dict[str, str]:
    """The variables for processes of the copy."""
    return {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "THYWILL_HOME": str(checkout / "home"),
        "PYTHONUNBUFFERED": "1",
    }


def manage(checkout: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run ``python manage.py ...`` in the copy to its end."""
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=checkout,
        env=environment(checkout),
        capture_output=True,
        text=True,
        timeout=100,
    )


def migrate(checkout: Path) -> None:
    """Prepare the copy's database, from one that was made here where they have the same tables.

    As ``./run``, it asks Django only when something has changed since the last time.
    """
    database = checkout / "home" / "thywill.sqlite3"
    settings = (checkout / "settings.py").read_text(encoding="utf-8")
    applications = checkout / "thywill_apps"
    tables = {
        path.relative_to(applications): path.read_bytes()
        for pattern in ("*/models.py", "*/migrations/*.py")
        for path in applications.glob(pattern)
    }
    alike = (re.sub(r"\d+", "0", settings), tuple(sorted(tables.items())))
    if database.exists():
        if _prepared.get(checkout) == alike:
            return
    elif alike in _databases:
        database.parent.mkdir(exist_ok=True)
        database.write_bytes(_databases[alike])
        _prepared[checkout] = alike
        return
    is_new = not database.exists()
    migration = manage(checkout, "migrate", "--verbosity", "0")
    assert migration.returncode == 0, migration.stderr
    _prepared[checkout] = alike
    if is_new:
        _databases[alike] = database.read_bytes()


_databases: dict[object, bytes] = {}
_prepared: dict[Path, object] = {}


@contextmanager
def site(checkout: Path, python: tuple[str, ...] = ()) -> Iterator[str]:
    """Run the copy of the site; gives the address of its applications.

    Args:
        checkout: the copy.
        python: what Python is told before ``manage.py``, such as options.
    """
    # A port of its own, and in the settings, so that a shell beside it finds the broker.
    settings = (checkout / "settings.py").read_text(encoding="utf-8")
    settings = re.sub(r'"stomp_port": \d+', f'"stomp_port": {free_port()}', settings)
    (checkout / "settings.py").write_text(settings, encoding="utf-8")
    migrate(checkout)
    serve = ["runthywill", "--port", "0", "--no-reload"]
    with (checkout / "site.log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, *python, "manage.py", *serve],
            cwd=checkout,
            env=environment(checkout),
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
        try:
            assert process.stdout is not None
            for line in process.stdout:
                found = re.search(r"http://\S+/thywill/init/", line)
                if found:
                    break
            else:
                pytest.fail((checkout / "site.log").read_text())
            yield found.group()
        finally:
            process.terminate()
            process.communicate(timeout=60)
