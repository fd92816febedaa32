"""Runs systems under workloads, in turn, several times.

In each round every system is started anew and does all its workloads, so that whatever else the
machine does in some minute is spread over all of them. In the first round a short run of each
workload finds out how many messages fill the wished time; what fails there is not tried again.
"""

from __future__ import annotations

import json
import math
import os
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from benchmarks.generator import Figures, Generator
from benchmarks.processes import StartError
from benchmarks.systems.base import System
from benchmarks.workloads import WORKLOADS, Workload

ACCEPT_SECONDS: Final = 1 / 4000
"""How long a server may take, on a busy machine, to notice one client that has connected."""

MIN_MESSAGES: Final = 5
MAX_MESSAGES: Final = 9_000_000


@dataclass
class Campaign:
    """All that is to be run, and what is known about it.

    Attributes:
        rounds: how often everything is done.
        seconds: how long one run should take.
        results: file that gets one line of JSON for each run.
        soft_end: monotonic time after which no further round begins, and a begun one ends early.
        hard_end: after which the first round ends early too.
        tell: is told each result in a line.
        loads: load average of the machine when each round began and when it ended.
        known_messages: how many fill the time, by names of system and workload; it grows.
    """

    generator: Generator
    systems: Sequence[System]
    workloads: Sequence[Workload]
    rounds: int
    seconds: float
    results: Path
    soft_end: float = math.inf
    hard_end: float = math.inf
    tell: Callable[[str], None] = print
    loads: list[tuple[float, float]] = field(default_factory=list)
    known_messages: dict[tuple[str, str], int] = field(default_factory=dict)
    _failed: set[tuple[str, str]] = field(default_factory=set)
    _is_running: bool = False

    def run(self) -> None:
        """Do it all."""
        for round_number in range(1, self.rounds + 1):
            if self._is_over(round_number):
                self.tell(f"{round_number}  left out, the time is over")
                return
            load = os.getloadavg()[0]
            for system in self.systems:
                for workload, figures in self._round_of(system, round_number):
                    self._keep(system, workload, round_number, figures)
            self.loads.append((load, os.getloadavg()[0]))

    def _is_over(self, round_number: int) -> bool:
        return time.monotonic() > (self.hard_end if round_number == 1 else self.soft_end)

    def _round_of(self, system: System, round_number: int) -> Iterator[tuple[Workload, Figures]]:
        """One start of one system."""
        self._is_running = False
        for workload in self.workloads:
            pair = (system.name, workload.name)
            if workload.kind not in system.kinds or pair in self._failed:
                continue
            if self._is_over(round_number):
                self.tell(f"{round_number}  {workload.name:<8} {system.name}: left out, no time")
                continue
            try:
                figures = self._once(system, workload)
            except (StartError, OSError) as error:
                figures = {"ok": False, "error": str(error)}
            if "us_per_delivery" not in figures and "base_kilobytes" not in figures:
                self._failed.add(pair)
            if not figures["ok"] or workload.mode == "hold":
                self._stop(system)  # whatever is wrong with it must not spoil the next workload
            yield workload, figures
        self._stop(system)

    def _stop(self, system: System) -> None:
        system.stop()
        self._is_running = False

    def _once(self, system: System, workload: Workload) -> Figures:
        pair = (system.name, workload.name)
        if workload.has_fixed_messages:
            return self._measure(system, workload, workload.first_messages)
        if workload.mode != "hold" and pair not in self.known_messages:
            first = self._measure(system, workload, workload.first_messages)
            if not first["ok"]:
                first.pop("us_per_delivery", None)
                return first
            self.known_messages[pair] = _messages_for(workload, first["wall_s"], self.seconds)
        return self._measure(system, workload, self.known_messages.get(pair, 0))

    def _measure(self, system: System, workload: Workload, messages: int) -> Figures:
        if system.keeps_sessions:
            self._stop(system)
        if not self._is_running:
            system.start()
            self._is_running = True
        system.prepare(workload.kind)
        conversation = system.conversation(workload.kind).text
        pids, handshakes = system.pids(), system.handshakes_at_once
        if workload.mode == "hold":
            return self.generator.memory(conversation, pids, handshakes_at_once=handshakes)
        return self.generator.run(
            workload,
            conversation,
            pids,
            messages,
            settle_seconds=system.settle_seconds + workload.clients * ACCEPT_SECONDS,
            handshakes_at_once=handshakes,
        )

    def _keep(
        self, system: System, workload: Workload, round_number: int, figures: Figures
    ) -> None:
        line = {
            "system": system.name,
            "workload": workload.name,
            "round": round_number,
            "at": int(time.time()),
            **figures,
        }
        with self.results.open("a") as file:
            file.write(json.dumps(line) + "\n")
        self.tell(f"{round_number}  {workload.name:<8} {system.name:<19} {summary(figures)}")


def messages_of(lines: Iterable[str], seconds: float) -> dict[tuple[str, str], int]:
    """How many messages filled the time in a former run, of which these are the results."""
    found = {}
    for line in lines:
        figures = json.loads(line)
        workload = WORKLOADS.get(figures["workload"])
        if workload is not None and figures["ok"] and "msgs" in figures:
            messages = int(figures["msgs"] * seconds / max(figures["wall_s"], 0.01))
            if workload.rate_per_second:
                messages = int(workload.rate_per_second * seconds)
            found[figures["system"], workload.name] = max(messages, MIN_MESSAGES)
    return found


def _messages_for(workload: Workload, first_seconds: float, seconds: float) -> int:
    """How many messages fill the time, when the first ones took so long."""
    if workload.rate_per_second:
        return int(workload.rate_per_second * seconds)
    messages = int(workload.first_messages * seconds / max(first_seconds, 0.01))
    return min(max(messages, MIN_MESSAGES), MAX_MESSAGES)


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
