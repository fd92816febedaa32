"""The script ``./run``: what a newcomer meets when something is not as it should be.

Nothing here touches the network or the environment of this checkout: each test copies the script
into a folder of its own, and a Python that lacks something is a few lines of shell.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
TOO_OLD = """#!/bin/sh
case $2 in *'%d.%d.%d'*) echo 3.10.13 ;; *) exit 1 ;; esac
"""
WITHOUT_VENV = """#!/bin/sh
case $2 in *'%d.%d.%d'*) echo 3.12.1 ;; *ensurepip*) exit 1 ;; esac
"""
FULL_DISK = f"""#!/bin/sh
case $* in '-m venv '*) echo 'no space left' && exit 1 ;; esac
exec "{sys.executable}" "$@"
"""
VERSION = ".".join(str(number) for number in sys.version_info[:3])
NO_NETWORK = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": "", "PIP_RETRIES": "0"}

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A checkout with a blank and a quote in its path, that holds no more than ``run`` looks at."""
    folder = tmp_path / "my thywill's folder"
    folder.mkdir()
    for name in ("run", "pyproject.toml", "requirements.txt", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, folder)
    return folder


@pytest.fixture
def run(folder: Path, tmp_path: Path) -> Run:
    """Start the copied script from elsewhere, in an environment that is not clean."""

    def start(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [folder / "run", *arguments],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": "elsewhere", "PYTHON": sys.executable, **environment},
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )

    return start


def program(path: Path, text: str) -> str:
    """Write an executable file."""
    path.write_text(text)
    path.chmod(0o755)
    return str(path)


def test_help_teaches_every_word(run: Run) -> None:
    """Each word that the script knows is explained by --help."""
    result = run("--help")
    assert result.returncode == 0
    for word in (
        "./run ",
        "--port",
        "./run test",
        "./run check",
        "./run bench",
        "PYTHON",
        "CHROMIUM",
    ):
        assert word in result.stdout


def test_unknown_word_is_refused(run: Run) -> None:
    """A word that means nothing is named, with the way to the words that do."""
    result = run("tset")
    assert (result.returncode, result.stdout) == (1, "")
    assert (
        result.stderr == 'thywill: ./run does not know "tset": ./run --help lists what it does.\n'
    )


def test_python_too_old_is_one_sentence(run: Run, tmp_path: Path) -> None:
    """A Python below 3.11 is named with its version and with what to do."""
    result = run(PYTHON=program(tmp_path / "python old", TOO_OLD))
    assert result.returncode == 1
    assert result.stderr == (
        "thywill: Python 3.11 or newer is needed, and only 3.10.13 was found:"
        " install one, or name it, as in PYTHON=/path/to/python3.13 ./run\n"
    )


def test_python_that_does_not_run_is_one_sentence(run: Run) -> None:
    """A mistyped PYTHON is said to be that."""
    result = run(PYTHON="/nowhere/python3")
    assert result.returncode == 1
    assert result.stderr.startswith("thywill: PYTHON=/nowhere/python3 cannot be run")
    assert result.stderr.count("\n") == 1


def test_missing_venv_module_names_the_package(run: Run, tmp_path: Path) -> None:
    """Debian's Python without its venv package ends in the name of that package."""
    result = run(PYTHON=program(tmp_path / "python3.12", WITHOUT_VENV))
    assert result.returncode == 1
    assert "sudo apt install python3-venv" in result.stderr
    assert result.stderr.count("\n") == 1


def test_best_python_on_the_path_is_taken(run: Run, tmp_path: Path, folder: Path) -> None:
    """Without PYTHON, names are tried from new to old, and those that cannot serve are passed."""
    names = tmp_path / "names"
    names.mkdir()
    program(names / "python3.13", "#!/bin/sh\nexit 127\n")
    program(names / "python3.12", WITHOUT_VENV)
    program(names / "python3.11", TOO_OLD)
    program(names / "python3", FULL_DISK)
    result = run(PYTHON="", PATH=f"{names}:/usr/bin:/bin")
    assert f"making an environment for Python {VERSION}" in result.stdout
    assert "no space left" in result.stderr
    assert "python3 could not make .venv, as told above" in result.stderr


def test_foreign_folder_is_left_alone(run: Run, folder: Path) -> None:
    """Something else that is called .venv is not deleted."""
    (folder / ".venv").mkdir()
    (folder / ".venv" / "thesis.txt").write_text("years of work")
    result = run()
    assert result.returncode == 1
    assert "move it away" in result.stderr
    assert (folder / ".venv" / "thesis.txt").exists()


@pytest.mark.functional
def test_no_network_on_the_first_run_is_one_sentence(
    run: Run, folder: Path, tmp_path: Path
) -> None:
    """Without a package index a run says so, keeps pip's words in a file, and what it has made.

    What a killed installation left behind is replaced.
    """
    first, second = run(**NO_NETWORK), run(**NO_NETWORK)
    assert "making an environment" in first.stdout
    assert "making" not in second.stdout
    for result in (first, second):
        assert result.returncode == 1
        assert "could not be downloaded: connect to the network" in result.stderr
        assert result.stderr.count("\n") == 1
    assert "setuptools" in (folder / ".venv" / "install.log").read_text()
    (folder / ".venv" / "installing").write_text("999999999")
    third = run(PYTHON=program(tmp_path / "python3", FULL_DISK))
    assert f"making .venv anew with Python {VERSION}: the last installation was interrupted" in (
        third.stdout
    )
    assert not (folder / ".venv" / "pyvenv.cfg").exists()


@pytest.mark.functional
@pytest.mark.skipif(
    not (ROOT / ".venv" / "installed-site").exists(),
    reason="this checkout was not installed by ./run",
)
def test_second_start_needs_no_network(tmp_path: Path) -> None:
    """Once installed, the site starts without pip: nothing is written to its log."""
    log = ROOT / ".venv" / "install.log"
    before = log.stat().st_mtime_ns
    site = subprocess.Popen(
        [ROOT / "run", "--port", "0", "--stomp-port", "0", "--no-reload"],
        env={**os.environ, **NO_NETWORK, "THYWILL_HOME": str(tmp_path), "PYTHON": ""},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert site.stdout is not None
        heard = ""
        while "/thywill/init/" not in heard:
            line = site.stdout.readline()
            assert line, (heard, site.stderr and site.stderr.read())
            heard += line
        assert "installing" not in heard
        assert log.stat().st_mtime_ns == before
    finally:
        site.terminate()
        site.communicate(timeout=60)


def test_what_applications_want_is_installed_once(run: Run, folder: Path) -> None:
    """It is asked for at the first start only, and the site starts where it cannot be had.

    What Python compiles is kept, whatever the environment says.
    """
    application = folder / "thywill_apps" / "plots"
    application.mkdir(parents=True)
    (folder / "thywill_server").mkdir()
    (folder / "settings.py").touch()
    (application / "requirements.txt").write_text("not-to-be-had\n")
    heard = folder / "heard"
    (folder / ".venv" / "bin").mkdir(parents=True)
    program(
        folder / ".venv" / "bin" / "python",
        f"""#!/bin/sh
case $1 in
-c) echo fake ;;
*) echo "$@" >>"{heard}"; [ "$2" != pip ] && [ -z "$PYTHONDONTWRITEBYTECODE" ] ;;
esac
""",
    )
    seal = (
        f"""printf '%s\\n%s\\n' fake "{folder}" | cat - pyproject.toml requirements.txt | cksum"""
    )
    sealed = subprocess.run(["sh", "-c", seal], cwd=folder, capture_output=True, check=True)
    (folder / ".venv" / "installed-site").write_bytes(sealed.stdout)
    first, second = run(PYTHONDONTWRITEBYTECODE="1"), run()
    asked = "-m pip install --requirement thywill_apps/plots/requirements.txt"
    assert (first.returncode, second.returncode) == (0, 0), first.stderr
    assert "thywill_apps/plots/requirements.txt could not be installed" in first.stdout
    assert second.stdout == ""
    commands = heard.read_text().splitlines()
    assert commands.count(asked) == 1
    assert commands.count("manage.py runthywill") == 2
