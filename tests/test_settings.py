"""The project's settings and its entry point, each in a process of its own."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
pytestmark = pytest.mark.functional


def manage(home: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run manage.py with nothing of ours in the environment but what is given."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("THYWILL_")}
    kept.pop("DJANGO_SETTINGS_MODULE", None)
    return subprocess.run(
        [sys.executable, str(ROOT / "manage.py"), *arguments],
        cwd=home,  # not the project's folder: nothing may depend on it
        env={**kept, "THYWILL_HOME": str(home / "home"), **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_check_is_clean(tmp_path: Path) -> None:
    """The settings as they are have nothing that Django or thywill complains about."""
    result = manage(tmp_path, "check", "--fail-level", "WARNING")
    assert result.returncode == 0, result.stderr


def test_deployment_check_is_clean(tmp_path: Path) -> None:
    """With the environment of a deployment, `check --deploy` has no warning."""
    result = manage(
        tmp_path,
        *("check", "--deploy", "--fail-level", "WARNING"),
        THYWILL_DEBUG="0",
        THYWILL_SECRET_KEY="0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ",
        THYWILL_ALLOWED_HOSTS="example.org",
    )
    assert result.returncode == 0, result.stderr


def test_deployment_needs_a_secret(tmp_path: Path) -> None:
    """Without DEBUG there is no default for the secret key: one sentence, no traceback."""
    result = manage(tmp_path, "check", THYWILL_DEBUG="0")
    assert result.returncode == 1
    assert result.stderr.startswith("settings.py: THYWILL_SECRET_KEY is missing")
    assert result.stderr.count("\n") == 1


def test_migrations_are_complete(tmp_path: Path) -> None:
    """The database is made in THYWILL_HOME, and no model lacks a migration."""
    migrated = manage(tmp_path, "migrate", "--verbosity", "0")
    assert migrated.returncode == 0, migrated.stderr
    assert (tmp_path / "home" / "thywill.sqlite3").is_file()
    assert manage(tmp_path, "makemigrations", "--check", "--dry-run").returncode == 0


def test_environment_reaches_the_settings(tmp_path: Path) -> None:
    """Hosts are split and stripped, and Orbited is found where the environment says."""
    ask = (
        "from django.conf import settings as s;"
        "print(s.ALLOWED_HOSTS, s.THYWILL['push']['orbited_url'], s.SECRET_KEY)"
    )
    result = manage(
        tmp_path,
        *("shell", "--no-imports", "-v0", "-c", ask),
        THYWILL_ALLOWED_HOSTS="a.example, b.example ,",
        ORBITED_URL="https://push.example/",
        THYWILL_SECRET_KEY="mine",
    )
    assert result.stdout.strip() == "['a.example', 'b.example'] https://push.example/ mine"


def test_mistyped_path_is_one_sentence(tmp_path: Path) -> None:
    """A component that does not exist ends in the sentence that names the setting."""
    (tmp_path / "mistyped.py").write_text(
        "from settings import *\n"
        'THYWILL = {**THYWILL, "push": {"component": "thywill_server.push.orbitd.Orbited"}}\n'
    )
    result = manage(
        tmp_path,
        "check",
        DJANGO_SETTINGS_MODULE="mistyped",
        PYTHONPATH=os.pathsep.join([str(tmp_path), str(ROOT)]),
    )
    assert result.returncode == 1
    assert 'THYWILL["push"]["component"]: cannot import "thywill_server.push.orbitd"' in (
        result.stderr
    )
    assert "Traceback" not in result.stderr
