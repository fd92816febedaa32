"""One call of the command: its plan, what it keeps, and what is added to it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks import run as run_module
from benchmarks.conversation import MESSAGE, Conversation
from benchmarks.generator import Figures, UnusableError
from benchmarks.report import facts_of, page
from benchmarks.run import Preset, Run
from benchmarks.systems.base import Bench, System
from benchmarks.workloads import GROUPS, WORKLOADS

GROUPS_CHOSEN = {"web": [WORKLOADS["A100w1"]], "stomp": [WORKLOADS["D1"]]}


class Thing(System):
    """A system that costs two microseconds."""

    kinds = frozenset({"fan", "stomp"})

    def __init__(self, name: str, bench: Bench) -> None:
        self.name, self.title = name, name.title()
        super().__init__(bench)

    def version(self) -> str:
        return "1.0"

    def start(self) -> None:
        pass

    def conversation(self, kind: str) -> Conversation:
        return Conversation().role("sub").address(1).publish(MESSAGE)


class FakeGenerator:
    """Whatever is asked of it has gone well."""

    def __init__(self, *_: object) -> None:
        pass

    def run(self, workload: Any, conversation: str, pids: Any, messages: int, **_: Any) -> Figures:
        counts = {"msgs": messages, "expected": 9, "delivered": 9, "gaps": 0, "dups": 0}
        costs = {"us_per_delivery": 2.0, "cpu_s": 1.0, "cpu_user": 1.0, "rate": 5.0, "wall_s": 0.1}
        return {"ok": True, **counts, **costs, "p50_us": 1, "p99_us": 2, "noise": 0.0}


@pytest.fixture(autouse=True)
def quiet_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """No generator is built, and the revision is a known one."""
    monkeypatch.setattr(run_module, "Generator", FakeGenerator)
    monkeypatch.setattr(run_module, "our_revision", lambda root: "abc1234")


def call(tmp_path: Path, *names: str, **more: Any) -> Run:
    """A call that measures these, twice, for a moment."""
    bench = Bench(tmp_path)
    preset = Preset(0.1, 60, 90, dict.fromkeys(GROUPS, (2, 1)))
    systems = [Thing(name, bench) for name in names]
    for system in systems:
        system.is_ours = system.name == "ours"
    one = Run(bench, systems, preset, **more)
    one.prepare()
    return one


def test_plan_comes_first_and_time_left_with_each_result(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whoever starts it knows how long it takes."""
    list(call(tmp_path, "ours", "peer").measure(GROUPS_CHOSEN))
    said = capsys.readouterr().out.splitlines()
    plans = [line for line in said if "plan: " in line]
    assert "Push to browsers, 3 runs of 2 systems, 2 rounds (1 of others), about " in plans[0]
    assert "min in all" in plans[-1]
    results = [line for line in said if " us " in line]
    assert len(results) == 6
    assert all(line.endswith("min left)") for line in results)


def test_rounds_are_added_at_the_same_revision(tmp_path: Path) -> None:
    """Their numbers go on, the times and loads of all are kept, and so is who was there."""
    list(call(tmp_path, "ours").measure(GROUPS_CHOSEN))
    web, _ = call(tmp_path, "peer", is_added=True).measure(GROUPS_CHOSEN)
    assert [each["round"] for each in web.facts.passes] == [1, 2, 3]
    assert set(web.facts.titles) == set(web.facts.versions) == {"ours", "peer"}
    assert {row.system: sorted(row.by_round) for row in web.rows} == {"ours": [1, 2], "peer": [3]}
    assert page({"web": web}, {}).count("(begun ") == 3


def test_nothing_is_added_to_another_revision(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two revisions never share a table."""
    list(call(tmp_path, "ours").measure(GROUPS_CHOSEN))
    monkeypatch.setattr(run_module, "our_revision", lambda root: "def5678")
    with pytest.raises(UnusableError, match="web was measured at abc1234, this is def5678"):
        list(call(tmp_path, "ours", is_added=True).measure(GROUPS_CHOSEN))


def test_call_that_is_cut_short_leaves_what_it_has(tmp_path: Path) -> None:
    """A group that was done is complete, and the former results of the next are still there."""
    list(call(tmp_path, "ours").measure(GROUPS_CHOSEN))
    next(iter(call(tmp_path, "ours", "peer").measure(GROUPS_CHOSEN)))
    kept = facts_of((tmp_path / "web.json").read_text())
    assert set(kept.titles) == {"ours", "peer"}
    lines = [json.loads(line) for line in (tmp_path / "web.jsonl").read_text().splitlines()]
    assert len(lines) == 3
    assert (tmp_path / "web-before.jsonl").exists()
    assert len((tmp_path / "stomp.jsonl").read_text().splitlines()) == 2


def test_group_that_breaks_off_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What nobody has thought of costs one group."""
    one = call(tmp_path, "ours")
    troubles = iter([RuntimeError("out of luck"), None])

    def turns(campaign: Any) -> None:
        trouble = next(troubles)
        if trouble is not None:
            raise trouble

    monkeypatch.setattr(run_module.Campaign, "run", turns)
    web, stomp = one.measure(GROUPS_CHOSEN)
    assert (web.facts.trouble, stomp.facts.trouble) == ("RuntimeError: out of luck", "")


def test_system_that_cannot_tell_its_version_is_left_out(tmp_path: Path) -> None:
    """It is named, and the others are measured."""

    class Odd(Thing):
        def version(self) -> str:
            raise LookupError("no such package")

    bench = Bench(tmp_path)
    preset = Preset(0.1, 60, 90, dict.fromkeys(GROUPS, (1, 1)))
    one = Run(bench, [Odd("odd", bench), Thing("peer", bench)], preset)
    one.prepare()
    (web,) = one.measure({"web": GROUPS_CHOSEN["web"]})
    assert web.facts.missing == {"odd": "LookupError: no such package"}
    assert [row.system for row in web.rows] == ["peer"]
