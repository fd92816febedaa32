"""The command line of the benchmark."""

import pytest

from benchmarks.__main__ import main
from benchmarks.run import FULL, SHORT
from benchmarks.workloads import GROUPS, WORKLOADS


@pytest.mark.parametrize(
    "arguments",
    [["--only", "web,nonsense"], ["--systems", "nonsense"], ["--workloads", "nonsense"]],
)
def test_name_that_is_not_known_is_refused(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """A slip of the pen gets a sentence with the word, and nothing is measured."""
    with pytest.raises(SystemExit) as end:
        main(arguments)
    assert end.value.code == 2
    assert "'nonsense' is not known: --list says what there is" in capsys.readouterr().err


def test_list_has_all_workloads_and_systems(capsys: pytest.CaptureFixture[str]) -> None:
    """Whoever does not know the names can look them up."""
    assert main(["--list"]) == 0
    said = capsys.readouterr().out
    for name in (*WORKLOADS, "orbited-sse", "site-gunicorn", "channels-redis"):
        assert f"{name} " in said


def test_each_group_has_its_rounds() -> None:
    """No group is forgotten, and the two forms end within 25 and within five minutes."""
    for preset, minutes in ((FULL, 25), (SHORT, 5)):
        assert set(preset.rounds) == set(GROUPS)
        assert preset.soft_seconds < preset.hard_seconds < minutes * 60
