"""Taking turns: what is started when, what is tried again, and when it ends."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

from benchmarks.campaign import Campaign, messages_of, seconds_of
from benchmarks.conversation import MESSAGE, Conversation
from benchmarks.generator import Figures
from benchmarks.processes import StartError
from benchmarks.systems.base import Bench, System
from benchmarks.workloads import WORKLOADS

FAN, ECHO, CROWD = WORKLOADS["A100w1"], WORKLOADS["B32"], WORKLOADS["G10000w1"]


class Recorded(System):
    """A system without processes, which notes what is done with it."""

    kinds = frozenset({"fan", "echo", "growth"})

    def __init__(self, name: str, story: list[str], bench: Bench) -> None:
        self.name = self.title = name
        self.story = story
        self.fails = False
        super().__init__(bench)

    def start(self) -> None:
        if self.fails:
            raise StartError("it does not want to")
        self.story.append(f"start {self.name}")

    def stop(self) -> None:
        pass

    def conversation(self, kind: str) -> Conversation:
        return Conversation().role("sub").address(1).publish(MESSAGE)


class Forgetful(Recorded):
    """It would deliver to those who have gone."""

    keeps_sessions = True


class FakeGenerator:
    """Says that a thousand messages take a second, or what it was told to say."""

    def __init__(self, story: list[str]) -> None:
        self.story = story
        self.answer: dict[str, Any] = {}

    def run(self, workload: Any, conversation: str, pids: Any, messages: int, **_: Any) -> Figures:
        self.story.append(f"{workload.name} {messages}")
        cost = {"us_per_delivery": 1.0, "rate": 5.0}
        told = {"ok": True, "msgs": messages, "wall_s": messages / 1000}
        return {**told, **cost, **self.answer}


def campaign(tmp_path: Path, systems: Any, story: list[str], **more: Any) -> Campaign:
    """Two rounds of half a second."""
    given: dict[str, Any] = {"workloads": [FAN, ECHO], "tell": story.append, **more}
    generator: Any = FakeGenerator(story)
    given.setdefault("generator", generator)
    return Campaign(
        systems=systems, rounds=2, seconds=0.5, results=tmp_path / "results.jsonl", **given
    )


def test_systems_take_turns_and_are_started_once_a_round(tmp_path: Path) -> None:
    """A round has all workloads of a system after one start; only the first finds out how many."""
    story: list[str] = []
    systems = [Recorded(name, story, Bench(tmp_path)) for name in ("one", "two")]
    campaign(tmp_path, systems, story, tell=lambda _: None).run()
    first = ["A100w1 100", "A100w1 500", "B32 400", "B32 500"]
    later = ["A100w1 500", "B32 500"]
    assert story == [
        *("start one", *first, "start two", *first),
        *("start one", *later, "start two", *later),
    ]
    lines = [json.loads(line) for line in (tmp_path / "results.jsonl").read_text().splitlines()]
    assert [(line["round"], line["system"]) for line in lines[::2]] == [
        *((1, "one"), (1, "two"), (2, "one"), (2, "two")),
    ]


def test_what_is_compared_takes_turns_at_each_workload(tmp_path: Path) -> None:
    """Ours and its yardstick alternate, in every round; others come behind, in fewer rounds."""
    story: list[str] = []
    ours, floor, peer = (Recorded(name, story, Bench(tmp_path)) for name in ("ours", "c", "peer"))
    ours.is_ours = floor.is_yardstick = True
    each = campaign(tmp_path, [peer, ours, floor], story, peer_rounds=1, rounds_before=3)
    found = [(turn.round_number, turn.workload.name, turn.system.name) for turn in each.turns()]
    pairs = [(w, s) for w in ("A100w1", "B32") for s in ("ours", "c")]
    assert found == [
        *((4, *pair) for pair in pairs),
        *((4, "A100w1", "peer"), (4, "B32", "peer")),
        *((5, *pair) for pair in pairs),
    ]


def test_mistake_in_one_system_costs_its_row_only(tmp_path: Path) -> None:
    """What nobody has thought of is named where the figures would stand, and the rest goes on."""
    story: list[str] = []
    systems = [Recorded(name, story, Bench(tmp_path)) for name in ("broken", "good")]
    systems[0].prepare = lambda kind: {}[kind]  # type: ignore[method-assign, return-value]
    campaign(tmp_path, systems, story, workloads=[FAN], tell=lambda _: None).run()
    lines = [json.loads(line) for line in (tmp_path / "results.jsonl").read_text().splitlines()]
    assert [line["system"] for line in lines if line["ok"]] == ["good", "good"]
    assert [line["error"] for line in lines if not line["ok"]] == ["KeyError: 'fan'"]


def test_time_left_is_known_before_and_learnt(tmp_path: Path) -> None:
    """A former run says how long each turn takes; where there was none it is guessed."""
    former = {"system": "one", "workload": "A100w1", "ok": True}
    lines = [
        json.dumps({**former, "took_s": took, "wall_s": wall})
        for took, wall in ((3.0, 0.5), (3.0, 1.5))
    ]
    known = seconds_of(lines, 0.5)
    systems = [Recorded("one", [], Bench(tmp_path))]
    each = campaign(tmp_path, systems, [], workloads=[FAN], known_seconds=known)
    assert each.expected_seconds(each.turns()) == 4.0
    each.known_seconds.clear()
    assert each.expected_seconds(each.turns()) > 2 * 0.5


def test_former_run_says_how_many_messages_fill_the_time() -> None:
    """What was complete is scaled to the wished time; an open loop keeps its rate, and what takes
    long for a message has longer runs."""

    def line(workload: str, is_ok: bool, messages: int, seconds: float) -> str:
        figures = {"workload": workload, "ok": is_ok, "msgs": messages, "wall_s": seconds}
        return json.dumps({"system": "one", **figures})

    lines = [line("A100w1", True, 600, 2.0), line("R100", True, 400, 2.0), line("B32", False, 9, 9)]
    lines.append(line("P32", True, 600, 2.0))
    lengths = [WORKLOADS[name].length for name in ("R100", "P32")]
    assert messages_of(lines, 0.5) == {
        ("one", "A100w1"): 150,
        ("one", "R100"): 100 * lengths[0],
        ("one", "P32"): 150 * lengths[1],
    }
    assert min(lengths) > 1


def test_run_that_was_far_too_short_is_done_again(tmp_path: Path) -> None:
    """On a quiet machine, what a busy one has told of the number of messages is soon over."""
    story: list[str] = []
    systems = [Recorded("one", story, Bench(tmp_path))]
    known = {("one", "A100w1"): 100}
    each = campaign(tmp_path, systems, story, workloads=[FAN], known_messages=known)
    each.tell = lambda _: None
    each.run()
    assert story == ["start one", "A100w1 100", "A100w1 500", "start one", "A100w1 500"]


def test_what_keeps_sessions_is_started_for_each_run(tmp_path: Path) -> None:
    """Nothing is delivered to the clients of the run before."""
    story: list[str] = []
    systems = [Forgetful("ours", story, Bench(tmp_path))]
    campaign(tmp_path, systems, story, workloads=[FAN], tell=lambda _: None).run()
    starts, runs = story[::2], story[1::2]
    assert starts == ["start ours"] * 3
    assert runs == ["A100w1 100", "A100w1 500", "A100w1 500"]


def test_very_many_clients_connect_only_once(tmp_path: Path) -> None:
    """Where connecting takes long, the number of messages is known beforehand."""
    story: list[str] = []
    systems = [Forgetful("ours", story, Bench(tmp_path))]
    campaign(tmp_path, systems, story, workloads=[CROWD], tell=lambda _: None).run()
    assert story == ["start ours", "G10000w1 20"] * 2


def test_very_many_clients_get_more_messages_if_they_are_cheap(tmp_path: Path) -> None:
    """A run takes as long as others do, or as its messages take."""
    asked: list[tuple[int, float]] = []

    def run(_: Any, __: Any, ___: Any, messages: int, *, least_seconds: float, **____: Any) -> Any:
        asked.append((messages, least_seconds))
        return {"ok": True, "msgs": messages, "wall_s": 9.0, "us_per_delivery": 1.0, "rate": 5.0}

    workload = WORKLOADS["G10000"]
    system = Recorded("one", [], Bench(tmp_path))
    system.kinds = frozenset({workload.kind})
    each = campaign(tmp_path, [system], [], workloads=[workload])
    each.generator.run = run  # type: ignore[method-assign]
    each.run()
    assert asked == [(80, 0.5 * workload.length)] * 2
    assert workload.length > 1


def test_what_cannot_start_is_told_and_not_tried_again(tmp_path: Path) -> None:
    """A system that fails has its line with the reason, once for each workload."""
    story: list[str] = []
    system = Recorded("broken", story, Bench(tmp_path))
    system.fails = True
    campaign(tmp_path, [system], story).run()
    assert len(story) == 2
    assert all(line.endswith("it does not want to") for line in story)


def test_lost_messages_are_named(tmp_path: Path) -> None:
    """A run that was not complete says what was missing, in place of a cost."""
    story: list[str] = []
    generator = FakeGenerator([])
    generator.answer = {"ok": False, "expected": 10, "delivered": 7, "gaps": 3, "dups": 0}
    system = Recorded("lossy", [], Bench(tmp_path))
    campaign(tmp_path, [system], story, workloads=[FAN], generator=generator).run()
    assert story == [
        "1  A100w1   lossy               3 missing, 3 skipped or out of order of 10 deliveries"
    ]


def test_time_that_is_over_leaves_later_rounds_of_others_out(tmp_path: Path) -> None:
    """The first round is whole and ours has all of its own, unless the last moment has passed."""
    story: list[str] = []
    systems = [Recorded(name, story, Bench(tmp_path)) for name in ("ours", "peer")]
    systems[0].is_ours = True
    past = time.monotonic() - 1
    campaign(tmp_path, systems, story, workloads=[FAN], soft_end=past).run()
    left_out = [line for line in story if "no time" in line]
    assert left_out == ["2  A100w1   peer: left out, no time"]
    story.clear()
    campaign(tmp_path, systems, story, workloads=[FAN], soft_end=past, hard_end=past).run()
    assert ["no time" in line for line in story] == [True] * 4


def test_run_that_was_cut_off_is_no_failure(tmp_path: Path) -> None:
    """What had less time than it needs is told, and leaves no line of its own."""
    story: list[str] = []
    systems = [Recorded("one", [], Bench(tmp_path))]
    each = campaign(tmp_path, systems, story, workloads=[FAN])

    def run(*_: Any, **__: Any) -> Figures:
        each.hard_end = time.monotonic() - 1
        return {"ok": False, "error": "setup"}

    each.generator.run = run  # type: ignore[method-assign]
    each.run()
    assert story == [f"{number}  A100w1   one: cut off, no time" for number in (1, 2)]
    assert not (tmp_path / "results.jsonl").exists()
