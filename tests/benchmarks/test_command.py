"""The command line of the benchmark."""

import pytest

from benchmarks.__main__ import GROUPS, SHARES, SHORT, main
from benchmarks.workloads import WORKLOADS


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


def test_time_is_shared_out_among_all_groups() -> None:
    """Each group has its part, and the short form ends within five minutes."""
    assert set(SHARES) == set(GROUPS)
    assert sum(SHARES.values()) == 100
    assert SHORT.hard_seconds < 5 * 60
