"""Which browser the tests drive: `./run` chooses, and pytest alone chooses the same."""

import subprocess
from pathlib import Path

import pytest

from tests.browser.conftest import SHELLS, WHOLE, executable

RUN = Path(__file__).parents[2] / "run"


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that comes first on the PATH, with browsers of both kinds that start."""
    for name in (SHELLS[0], WHOLE[0]):
        install(tmp_path, name)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.delenv("CHROMIUM", raising=False)
    return tmp_path


def install(folder: Path, name: str, status: int = 0) -> str:
    """A browser that ends with this status."""
    (folder / name).write_text(f"#!/bin/sh\nexit {status}\n")
    (folder / name).chmod(0o755)
    return str(folder / name)


def chosen_by_run() -> str:
    """What `./run test` would hand on; what is missing would be installed, so nothing may be."""
    functions = RUN.read_text().removesuffix('main "$@"\n')
    command = f'{functions}\nmay_install() {{ return 1; }}\nneed_chromium\necho "$CHROMIUM"'
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=True)
    return done.stdout.rstrip("\n")


def test_the_shell_goes_first(programs: Path) -> None:
    """Tests take the headless shell, and what that cannot do a whole browser."""
    assert chosen_by_run() == executable(*SHELLS, *WHOLE) == str(programs / SHELLS[0])
    assert executable(*WHOLE) == str(programs / WHOLE[0])


def test_a_whole_one_does_it_all(programs: Path) -> None:
    """A shell that does not start is passed over; another name of it is known, too."""
    install(programs, SHELLS[0], status=1)
    other = install(programs, SHELLS[1])
    assert chosen_by_run() == other
    install(programs, SHELLS[1], status=1)
    assert chosen_by_run() == str(programs / WHOLE[0])


def test_chromium_in_the_environment(programs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """CHROMIUM goes before all; where a whole browser is needed, unless it names a shell."""
    for name, whole in (("mine", "mine"), ("my-headless-shell", WHOLE[0])):
        path = install(programs, name)
        monkeypatch.setenv("CHROMIUM", path)
        assert chosen_by_run() == executable(*SHELLS, *WHOLE) == path
        assert executable(*WHOLE) == str(programs / whole)
