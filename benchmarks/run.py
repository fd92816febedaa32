"""What one call of the command measures: it is planned, then done group after group.

Results are kept line by line, and what is said beside them after each turn, so that a call that is
cut short leaves all it has measured.
"""

from __future__ import annotations

import datetime
import json
import logging
import os
import shutil
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from benchmarks import machine, report, results
from benchmarks.campaign import Campaign, messages_of, seconds_of
from benchmarks.generator import Generator, UnusableError
from benchmarks.systems.base import Bench, System, our_revision
from benchmarks.workloads import Workload

log = logging.getLogger(__name__)

SPARE: Final = 1.3
"""How much longer than expected something may take."""


@dataclass(frozen=True)
class Preset:
    """How thoroughly to measure.

    Attributes:
        seconds: of one run.
        soft_seconds: from when on others have no further round, for all groups together.
        hard_seconds: from when on nothing begins.
        rounds: of a group: how many of ours and of what ours is divided by, and of all others.
    """

    seconds: float
    soft_seconds: float
    hard_seconds: float
    rounds: Mapping[str, tuple[int, int]]


FULL: Final = Preset(
    0.6,
    21 * 60,
    23 * 60,
    {
        "web": (3, 2),
        "growth": (3, 1),
        "post": (3, 2),
        "stomp": (3, 2),
        "http": (3, 2),
        "memory": (2, 1),
    },
)
SHORT: Final = Preset(0.3, 180, 240, {**dict.fromkeys(FULL.rounds, (2, 1)), "memory": (1, 1)})


@dataclass
class Run:
    """One call.

    Attributes:
        is_added: to what the last call has measured at the same revision.
        prefix: of the names of files, "partial-" where the page shall not see them.
    """

    bench: Bench
    systems: Sequence[System]
    preset: Preset
    is_added: bool = False
    prefix: str = ""
    _begun: float = field(default_factory=time.monotonic)
    _missing: dict[str, str] = field(default_factory=dict)
    _versions: dict[str, str] = field(default_factory=dict)

    def prepare(self) -> None:
        """Build the generator, install what can be installed, and say what is missing.

        Raises:
            UnusableError: nothing can be measured here.
        """
        if shutil.which("taskset") is None or (os.cpu_count() or 1) < 2:
            raise UnusableError("two cores and the program taskset are needed (Linux, util-linux)")
        self._generator = Generator(self.bench.work, os.environ.get("BENCH_CLIENT_CPU", "1"))
        self._revision = our_revision(self.bench.root)
        for system in self.systems:
            system.processes.log.unlink(missing_ok=True)
            try:
                reason = system.missing()
                version = system.version() if reason is None else ""
            except (OSError, ImportError, LookupError) as error:
                reason = f"{type(error).__name__}: {error}"
            if reason is None:
                self._versions[system.name] = version
                self.tell(f"{system.name}: {version}")
            else:
                self._missing[system.name] = reason
                self.tell(f"{system.name} is left out: {reason}")

    def measure(self, groups: Mapping[str, Sequence[Workload]]) -> Iterable[report.Measured]:
        """Do it all, a group at a time; each is given back as soon as it is done.

        Raises:
            UnusableError: the results to which these should be added are of another revision.
        """
        planned = {group: self._plan(group, workloads) for group, workloads in groups.items()}
        self._tell_plan(planned)
        waiting = list(planned.values())
        for group, campaign in planned.items():
            self._limit(campaign, waiting)
            waiting.pop(0)
            later = sum(each.expected_seconds(each.turns()) for each in waiting)
            yield self._measure(group, campaign, later)

    def tell(self, words: str) -> None:
        """Print a line, with the time that has passed."""
        minutes, seconds = divmod(int(time.monotonic() - self._begun), 60)
        print(f"{minutes:2}:{seconds:02}  {words}", flush=True)

    def _file(self, group: str) -> Path:
        return self.bench.work / f"{self.prefix}{group}.jsonl"

    def _plan(self, group: str, workloads: Sequence[Workload]) -> Campaign:
        kinds = {workload.kind for workload in workloads}
        present = [
            system
            for system in self.systems
            if system.kinds & kinds and system.name not in self._missing
        ]
        rounds, peer_rounds = self.preset.rounds[group]
        file = self._file(group)
        lines = file.read_text().splitlines() if file.exists() else []
        before = self._former(group)
        passes = before.passes if before else ()
        return Campaign(
            self._generator,
            present,
            workloads,
            rounds,
            self.preset.seconds,
            file,
            peer_rounds=peer_rounds,
            rounds_before=max((each["round"] for each in passes), default=0),
            passes=[dict(each) for each in passes],
            known_messages=messages_of(lines, self.preset.seconds),
            known_seconds=seconds_of(lines, self.preset.seconds),
        )

    def _former(self, group: str) -> report.Facts | None:
        """What was said beside the results to which these are added."""
        file = self._file(group).with_suffix(".json")
        if not (self.is_added and file.exists()):
            return None
        facts = report.facts_of(file.read_text())
        if facts.revision != self._revision:
            raise UnusableError(
                f"--add: {group} was measured at {facts.revision}, this is {self._revision}"
            )
        return facts

    def _tell_plan(self, planned: Mapping[str, Campaign]) -> None:
        total = 0.0
        for group, campaign in planned.items():
            seconds = campaign.expected_seconds(campaign.turns())
            total += seconds
            self.tell(
                f"plan: {report.HEADINGS[group]}, {len(campaign.turns())} runs of "
                f"{len(campaign.systems)} systems, {_rounds(campaign.rounds)} "
                f"({campaign.peer_rounds} of others), about {seconds / 60:.1f} min"
            )
        limit = self.preset.hard_seconds / 60
        self.tell(
            f"plan: about {total / 60:.0f} min in all; what is not done by {limit:.0f} is left out"
        )

    def _limit(self, campaign: Campaign, waiting: Sequence[Campaign]) -> None:
        """Its part of the time that is left, by how long each of those to come will take.

        It may take somewhat more, as long as that leaves the others their first round.
        """
        expected = [each.expected_seconds(each.turns()) for each in waiting]
        part = expected[0] / sum(expected) if any(expected) else 1.0
        now = time.monotonic()
        soft, hard = (
            max(0.0, self._begun + limit - now)
            for limit in (self.preset.soft_seconds, self.preset.hard_seconds)
        )
        needed = sum(each.expected_seconds(each.first_round()) for each in waiting[1:])
        campaign.soft_end = now + soft * part
        campaign.hard_end = now + max(hard * part, min(hard - SPARE * needed, SPARE * hard * part))

    def _measure(self, group: str, campaign: Campaign, later_seconds: float) -> report.Measured:
        """Take turns.

        Args:
            later_seconds: how long all other groups will take, probably.
        """
        file = self._file(group)
        before = self._former(group)
        if before is None and file.exists():
            for each in (file, file.with_suffix(".json")):
                if each.exists():
                    each.replace(each.with_stem(f"{each.stem}-before"))
        file.touch()

        trouble = ""

        def keep() -> None:
            facts = self._facts(campaign, before, trouble)
            file.with_suffix(".json").write_text(json.dumps(vars(facts), indent=1))

        def tell(words: str) -> None:
            left = campaign.left_seconds + later_seconds
            self.tell(f"{group:<6} {words}  ({left / 60:.0f} min left)")

        campaign.tell, campaign.after_turn = tell, keep
        keep()
        try:
            campaign.run()
        except Exception as error:  # the other groups are measured all the same
            log.exception("%s", group)
            trouble = f"{type(error).__name__}: {error}"
            tell(f"broken off: {trouble}")
            keep()
        rows = results.read(file.read_text().splitlines())
        return report.Measured(rows, self._facts(campaign, before, trouble))

    def _facts(self, campaign: Campaign, before: report.Facts | None, trouble: str) -> report.Facts:
        kinds = {workload.kind for workload in campaign.workloads}
        systems = [system for system in self.systems if system.kinds & kinds]
        names = [system.name for system in systems]
        versions = {name: self._versions[name] for name in names if name in self._versions}
        facts: dict[str, Any] = {
            "machine": machine.describe(),
            "rounds": campaign.rounds,
            "seconds": self.preset.seconds,
            "titles": {system.name: system.title for system in systems},
            "versions": versions,
            "missing": {name: self._missing[name] for name in names if name in self._missing},
            "references": [system.name for system in systems if system.is_reference],
            "ours": [system.name for system in systems if system.is_ours],
            "passes": campaign.passes,
            "revision": self._revision,
            "trouble": trouble,
            "day": datetime.datetime.now(datetime.UTC).date().isoformat(),
        }
        if before is not None:
            for name in ("titles", "versions", "missing"):
                facts[name] = {**getattr(before, name), **facts[name]}
            for name in ("references", "ours"):
                facts[name] = list(dict.fromkeys([*getattr(before, name), *facts[name]]))
            facts["missing"] = {
                name: reason for name, reason in facts["missing"].items() if name not in versions
            }
        return report.Facts(**facts)


def _rounds(number: int) -> str:
    return "1 round" if number == 1 else f"{number} rounds"
