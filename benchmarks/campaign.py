"""Runs systems under workloads, in turn, several times.

A round begins with those that are compared: ours, and the yardsticks that ours are divided by. They
take turns at each workload, so that what is divided was measured within the same minute. Then come
the others, each with all its workloads after one start, in fewer rounds. In the first round a short
run of each workload finds out how many messages fill the wished time.

Nothing that goes wrong with one run ends the others: the reason takes the place of its figures.
"""

from __future__ import annotations

import contextlib
import datetime
import json
import logging
import math
import os
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from benchmarks.generator import MEMORY_STAGES, Figures, Generator
from benchmarks.processes import StartError
from benchmarks.systems.base import System
from benchmarks.workloads import WORKLOADS, Workload

log = logging.getLogger(__name__)

ACCEPT_SECONDS: Final = 1 / 4000
"""How long a server that says nothing may take, on a busy machine, to notice one client."""

RUN_SECONDS: Final = 60.0
"""How long one run may take before it has failed, connecting included."""
CROWD_SECONDS: Final = 120.0
"""The same with very many clients."""

STALL_SECONDS: Final = 6.0
"""A run has failed when nothing was delivered for so long."""
CROWD_STALL_SECONDS: Final = 20.0
"""The same with very many clients."""

TURN_SECONDS: Final = 1.0
"""A guess at what a turn takes beside starting, connecting and its run, where none was timed."""
CLIENTS_PER_SECOND: Final = 1200
"""Likewise, how many can connect and subscribe."""
CROWD_RUN_SECONDS: Final = 4.0
"""Likewise, how long the fixed number of messages takes that very many clients get."""

MAX_MESSAGES: Final = 9_000_000

Names = tuple[str, str]
"""Of a system and a workload."""


@dataclass(frozen=True)
class Turn:
    """One system under one workload, once."""

    round_number: int
    system: System
    workload: Workload

    @property
    def names(self) -> Names:
        """What its results are kept under."""
        return self.system.name, self.workload.name


@dataclass
class Campaign:
    """All that is to be run, and what is known about it.

    Attributes:
        rounds: how often everything that is compared is done.
        seconds: how long one run should take.
        results: file that gets one line of JSON for each run.
        peer_rounds: how often the others are done; as often when it is None.
        rounds_before: how many there have been already, which these follow.
        soft_end: monotonic time after which the others have no further round.
        hard_end: after which nothing begins.
        tell: is told each result in a line.
        after_turn: called after each, with what is kept already.
        passes: of each round its number, when it began, and the machine's load average then and at
            its end.
        known_messages: how many fill the time; it grows.
        known_seconds: how long a turn takes; it grows.
        left_seconds: how long the turns to come will take, probably.
    """

    generator: Generator
    systems: Sequence[System]
    workloads: Sequence[Workload]
    rounds: int
    seconds: float
    results: Path
    peer_rounds: int | None = None
    rounds_before: int = 0
    soft_end: float = math.inf
    hard_end: float = math.inf
    tell: Callable[[str], None] = print
    after_turn: Callable[[], None] = lambda: None
    passes: list[dict[str, Any]] = field(default_factory=list)
    known_messages: dict[Names, int] = field(default_factory=dict)
    known_seconds: dict[Names, float] = field(default_factory=dict)
    left_seconds: float = 0.0
    _failed: set[Names] = field(default_factory=set)
    _running: System | None = None

    def run(self) -> None:
        """Do it all."""
        try:
            turns = self.turns()
            for done, turn in enumerate(turns):
                if self._is_over(turn):
                    words = f"{turn.round_number}  {turn.workload.name:<8} {turn.system.name}"
                    self.tell(f"{words}: left out, no time")
                elif turn.names not in self._failed:
                    self._take(turn, self.expected_seconds(turns[done + 1 :]))
        finally:
            self._stop()

    def turns(self) -> list[Turn]:
        """All of them, in order."""
        found = []
        peers = self.rounds if self.peer_rounds is None else self.peer_rounds
        for number in range(1, max(self.rounds, peers) + 1):
            compared = [
                each for each in self.systems if is_compared(each) and number <= self.rounds
            ]
            others = [
                each
                for each in self.systems
                if not is_compared(each) and number <= min(peers, each.rounds_at_most)
            ]
            pairs = [(system, workload) for workload in self.workloads for system in compared]
            pairs += [(system, workload) for system in others for workload in self.workloads]
            found += [
                Turn(number + self.rounds_before, system, workload)
                for system, workload in pairs
                if workload.kind in system.kinds and number <= workload.rounds_at_most
            ]
        return found

    def first_round(self) -> list[Turn]:
        """What gives each system a figure for each workload."""
        return [turn for turn in self.turns() if self._is_first(turn)]

    def expected_seconds(self, turns: Iterable[Turn]) -> float:
        """How long they will take, by what is known, or else guessed."""
        return sum(self._expected(turn) for turn in turns if turn.names not in self._failed)

    def _expected(self, turn: Turn) -> float:
        if turn.names in self.known_seconds:
            return self.known_seconds[turn.names]
        system, workload = turn.system, turn.workload
        clients = MEMORY_STAGES[-1] if workload.mode == "hold" else workload.clients
        guess = TURN_SECONDS + (
            CROWD_RUN_SECONDS if clients > 1000 else self.seconds * workload.length
        )
        if is_compared(system) or system.keeps_sessions:
            guess += system.start_seconds
        if system.answers_at_once:
            guess += system.settle_seconds + clients / CLIENTS_PER_SECOND
        return guess

    def _is_first(self, turn: Turn) -> bool:
        return turn.round_number == 1 + self.rounds_before

    def _is_over(self, turn: Turn) -> bool:
        is_needed = is_compared(turn.system) or self._is_first(turn)
        return time.monotonic() > (self.hard_end if is_needed else self.soft_end)

    def _take(self, turn: Turn, left_seconds: float) -> None:
        """One turn, whatever comes of it."""
        begun = time.monotonic()
        workload = turn.workload
        is_fixed = workload.has_fixed_messages or workload.mode == "hold"
        is_usual = is_fixed or turn.names in self.known_messages
        try:
            self._begin(turn.round_number)
            figures = self._once(turn.system, turn.workload)
            if not figures["ok"] or workload.mode == "hold":
                self._stop()  # whatever is wrong with it must not spoil the next workload
        except (StartError, OSError) as error:
            figures = self._fallen(str(error))
        except Exception as error:  # a mistake in one system's adapter costs its own row only
            log.exception("%s %s", *turn.names)
            figures = self._fallen(f"{type(error).__name__}: {error}")
        if not figures["ok"] and time.monotonic() > self.hard_end:
            system, name = turn.names
            self.tell(f"{turn.round_number}  {name:<8} {system}: cut off, no time")
            return  # it was given less than it needs: that is no fault of its own
        is_lasting = "us_per_delivery" not in figures and "base_kilobytes" not in figures
        if is_lasting and not is_compared(turn.system):
            self._failed.add(turn.names)
        took = time.monotonic() - begun
        if is_usual:
            self.known_seconds[turn.names] = took
        self._keep(turn, {**figures, "took_s": round(took, 2)}, left_seconds)

    def _fallen(self, error: str) -> Figures:
        """What stands in place of figures; the system is started anew for the next workload."""
        with contextlib.suppress(Exception):
            self._stop()
        return {"ok": False, "error": error}

    def _begin(self, round_number: int) -> None:
        """A new round starts every system anew; note the load before it."""
        load = round(os.getloadavg()[0], 2)
        if not self.passes or self.passes[-1]["round"] != round_number:
            at = datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d %H:%M UTC")
            self.passes.append({"round": round_number, "at": at, "begin": load, "end": load})
            self._stop()

    def _stop(self) -> None:
        running, self._running = self._running, None
        if running is not None:
            running.stop()

    def _once(self, system: System, workload: Workload) -> Figures:
        pair = (system.name, workload.name)
        if workload.has_fixed_messages:
            return self._measure(system, workload, workload.first_messages)
        if workload.mode == "hold":
            return self._measure(system, workload, 0)
        if pair not in self.known_messages:
            first = self._measure(system, workload, workload.first_messages)
            if not first["ok"]:
                first.pop("us_per_delivery", None)
                return first
            self.known_messages[pair] = messages_for(workload, first, self.seconds)
        figures = self._measure(system, workload, self.known_messages[pair])
        if figures["ok"]:
            sent = self.known_messages[pair]
            self.known_messages[pair] = messages_for(workload, figures, self.seconds)
            if self.known_messages[pair] > 2 * sent:  # what a busy machine has told before
                figures = self._measure(system, workload, self.known_messages[pair])
        return figures

    def _measure(self, system: System, workload: Workload, messages: int) -> Figures:
        if system.keeps_sessions or self._running is not system:
            self._stop()
            self._running = system
            system.start()
        system.prepare(workload.kind)
        conversation = system.conversation(workload.kind).text
        pids, handshakes = system.pids(), system.handshakes_at_once
        is_crowd = workload.has_fixed_messages or workload.mode == "hold"
        limit = CROWD_SECONDS if is_crowd else RUN_SECONDS
        limit = min(limit, max(5.0, self.hard_end - time.monotonic()))
        if workload.mode == "hold":
            return self.generator.memory(
                conversation, pids, handshakes_at_once=handshakes, timeout_seconds=limit
            )
        settle = system.settle_seconds
        if not system.answers_at_once:
            settle += workload.clients * ACCEPT_SECONDS
        return self.generator.run(
            workload,
            conversation,
            pids,
            messages,
            least_seconds=self.seconds * workload.length if workload.has_fixed_messages else 0.0,
            settle_seconds=settle,
            stall_seconds=CROWD_STALL_SECONDS if is_crowd else STALL_SECONDS,
            handshakes_at_once=handshakes,
            timeout_seconds=limit,
        )

    def _keep(self, turn: Turn, figures: Figures, left_seconds: float) -> None:
        system, workload = turn.names
        number = turn.round_number
        line = {"system": system, "workload": workload, "round": number, "at": int(time.time())}
        with self.results.open("a") as file:
            file.write(json.dumps({**line, **figures}) + "\n")
        self.passes[-1]["end"] = round(os.getloadavg()[0], 2)
        words = f"{number}  {workload:<8} {system:<19} {summary(figures)}"
        self.left_seconds = left_seconds
        self.tell(words)
        self.after_turn()


def is_compared(system: System) -> bool:
    """Whether it takes part in every round, beside those that it is divided by."""
    return system.is_ours or system.is_yardstick


def messages_of(lines: Iterable[str], seconds: float) -> dict[Names, int]:
    """How many messages filled the time in a former run, of which these are the results."""
    found = {}
    for line in lines:
        figures = json.loads(line)
        workload = WORKLOADS.get(figures["workload"])
        if workload is not None and figures["ok"] and "msgs" in figures:
            found[figures["system"], workload.name] = messages_for(workload, figures, seconds)
    return found


def seconds_of(lines: Iterable[str], seconds: float) -> dict[Names, float]:
    """How long each turn took in a former run, had its own part been as long as wished.

    The shortest counts: what made others longer was other work.
    """
    found: dict[Names, float] = {}
    for line in lines:
        figures = json.loads(line)
        names = (figures["system"], figures["workload"])
        if "took_s" in figures and figures["ok"]:
            took = figures["took_s"]
            workload = WORKLOADS.get(figures["workload"])
            if "wall_s" in figures and workload is not None:
                more = seconds * workload.length - figures["wall_s"]
                took += max(0.0, more) if workload.has_fixed_messages else more
            found[names] = min(took, found.get(names, math.inf))
    return found


def messages_for(workload: Workload, figures: Figures, seconds: float) -> int:
    """How many messages fill the time, when a run took so long for its own.

    Args:
        seconds: that a run of most workloads takes.

    Half of what a run begins with is the least: the first hundred requests cost more than others.
    """
    seconds *= workload.length
    if workload.rate_per_second:
        return int(workload.rate_per_second * seconds)
    sent = figures.get("msgs", workload.first_messages)
    messages = int(sent * seconds / max(figures["wall_s"], 0.01))
    return min(max(messages, workload.first_messages // 2), MAX_MESSAGES)


def summary(figures: Figures) -> str:
    """A result in a few words."""
    if "us_per_delivery" in figures:
        words = f"{figures['us_per_delivery']:9.2f} us  {figures['rate']:10.0f}/s"
        return words if figures["ok"] else f"{words}  {fault(figures)}"
    sizes = [f"{value} kB" for name, value in figures.items() if name.startswith("kilobytes_")]
    return ", ".join(sizes) or fault(figures)


def fault(figures: Figures) -> str:
    """What went wrong, in a few words."""
    if "error" in figures:
        words = {"setup": "clients could not connect or subscribe"}
        return words.get(figures["error"], str(figures["error"]))
    expected = figures["expected"]
    counts = {
        "missing": expected - figures["delivered"],
        "skipped or out of order": figures["gaps"],
        "repeated": figures["dups"],
    }
    found = [f"{count:,} {what}" for what, count in counts.items() if count]
    return f"{', '.join(found) or 'nothing missing'} of {expected:,} deliveries"
