"""Another commit beside the present one."""

import os
import subprocess
from pathlib import Path

import pytest

from benchmarks.baseline import check_out, comparison, with_twins
from benchmarks.generator import UnusableError
from benchmarks.results import Row, ratio
from benchmarks.systems import everything
from benchmarks.systems.base import Bench


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """Two commits; the files of the second are those that lie there."""
    folder = tmp_path / "repository"
    folder.mkdir()

    def git(*arguments: str) -> None:
        names = {"GIT_AUTHOR_NAME": "a", "GIT_COMMITTER_NAME": "a"}
        names |= {"GIT_AUTHOR_EMAIL": "a@example.com", "GIT_COMMITTER_EMAIL": "a@example.com"}
        subprocess.run(["git", *arguments], cwd=folder, check=True, env={**os.environ, **names})

    git("init", "--quiet")
    for words in ("then", "now"):
        (folder / "file").write_text(words)
        git("add", "file")
        git("commit", "--quiet", "--message", words)
    return folder


def test_files_of_that_commit_are_put_beside(repository: Path, tmp_path: Path) -> None:
    """The present checkout stays as it is."""
    former = check_out("HEAD~1", tmp_path / "work", repository)
    assert (former.root / "file").read_text() == "then"
    assert (repository / "file").read_text() == "now"
    assert check_out("HEAD~1", tmp_path / "work", repository) == former


def test_commit_that_is_not_there_is_refused(repository: Path, tmp_path: Path) -> None:
    """A slip of the pen gets a sentence."""
    with pytest.raises(UnusableError, match="--baseline nonsense: "):
        check_out("nonsense", tmp_path / "work", repository)


def test_each_system_of_ours_has_a_twin(tmp_path: Path) -> None:
    """Others are measured once."""
    systems = everything(Bench(tmp_path))
    chosen = [systems["morbid"], systems["raw-c-send"]]
    former = Bench(tmp_path, root=tmp_path, label="abc1234")
    names = [system.name for system in with_twins(chosen, former)]
    assert names == ["morbid", "morbid@abc1234", "raw-c-send"]


def test_ratio_is_the_median_of_the_rounds() -> None:
    """Each round is divided by the same round; what only one of them has does not count."""
    mine = Row("a", "D1", 2.0, by_round={1: 2.0, 2: 6.0, 3: 4.0, 4: 9.0})
    other = Row("b", "D1", 1.0, by_round={1: 1.0, 2: 2.0, 3: 1.0})
    found = ratio(mine, other)
    assert found is not None
    assert (found.median, found.lowest, found.highest, found.rounds) == (3.0, 2.0, 4.0, 3)
    assert ratio(mine, Row("b", "D1", None)) is None


def test_without_a_common_round_the_minima_are_divided() -> None:
    """Rounds that were added later may have one of two systems only."""
    found = ratio(Row("a", "D1", 3.0, by_round={1: 3.0}), Row("b", "D1", 2.0, by_round={2: 2.0}))
    assert found is not None
    assert (found.median, found.rounds) == (1.5, 0)


def test_comparison_has_a_line_for_each_workload() -> None:
    """Now, then, and the quotient with its range; or why there is none."""
    rows = [
        Row("morbid", "D1", 3.0, by_round={1: 3.0, 2: 4.0}),
        Row("morbid@abc", "D1", 4.0, by_round={1: 6.0, 2: 4.0}),
        Row("morbid", "E32", None, fault="5 missing"),
        Row("morbid@abc", "E32", 9.0),
        Row("rabbitmq", "D1", 40.0),
    ]
    _, first, second = comparison(rows, "abc").splitlines()
    assert first.split() == ["D1", "morbid", "3.00", "4.00", "0.750", "(0.500", "to", "1.000)"]
    assert second.split() == ["E32", "morbid", "5", "missing"]
