"""What is done to the systems: the workloads, by name and by group.

A message is 100 bytes and holds its sequence number, so that the generator can check that each
one came once and in order. Two words decide what a figure means:

* the *window* is how many messages may be on their way to the slowest subscriber. With 1 nothing
  can be batched, and each delivery costs its own system call; with many, a system may gather.
* *open loop* means that messages come at a fixed rate, whether or not the system keeps up.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

MESSAGE_BYTES: Final = 100
"""Length of a message."""

STOMP_FRAME_BYTES: Final = 233
"""Length of the MESSAGE frame that such a message becomes, give or take a digit of its id."""


VERY_MANY_CLIENTS: Final = 5000


@dataclass(frozen=True)
class Workload:
    """One way to keep a system busy.

    Attributes:
        group: what is measured together, in one table.
        kind: which conversation the clients hold; a system knows some of them.
        mode: of the generator: ``fanout``, ``echo`` or ``hold``.
        clients: subscribers, or in echo mode those who publish and wait.
        window: see the module.
        first_messages: how many to begin with, to find out how many a run needs; that is left out
            with very many clients, which take long to connect: then a run has so many, and more
            where they take less time than a run should.
        rate_per_second: of an open loop; 0 for a closed one.
        is_extra: measured only when it is named.
        length: how many times as long as others a run of it is, where there would be too few
            messages otherwise.
        sentence: for those who read the table.
    """

    name: str
    group: str
    kind: str
    mode: str
    clients: int
    window: int
    first_messages: int
    sentence: str
    rate_per_second: int = 0
    is_extra: bool = False
    length: float = 1.0

    @property
    def is_in_short_runs(self) -> bool:
        """Whether ``--short`` takes it in."""
        return self.group != GROWTH and self.name not in ("A1000", "R100")

    @property
    def rounds_at_most(self) -> int:
        """Fewer than others where very many clients have to connect first."""
        return 2 if self.has_fixed_messages else 99

    @property
    def has_fixed_messages(self) -> bool:
        """Whether the least number of messages a run has is known beforehand."""
        return self.clients >= VERY_MANY_CLIENTS


STOMP: Final = "stomp"
WEB: Final = "web"
GROWTH: Final = "growth"
POST: Final = "post"
HTTP: Final = "http"
MEMORY: Final = "memory"

ONE: Final = "one in flight"
MANY: Final = "64 in flight"
BACK: Final = "each to itself and back"

_ALL: Final = [
    Workload("A100w1", WEB, "fan", "fanout", 100, 1, 100, f"one to 100, {ONE}"),
    Workload("A1000w1", WEB, "fan", "fanout", 1000, 1, 10, f"one to 1,000, {ONE}"),
    Workload("A100", WEB, "fan", "fanout", 100, 64, 150, f"one to 100, {MANY}"),
    Workload("A1000", WEB, "fan", "fanout", 1000, 64, 20, f"one to 1,000, {MANY}"),
    Workload(
        "R100",
        WEB,
        "fan",
        "fanout",
        100,
        64,
        60,
        "one to 100, 200 messages a second",
        200,
        length=2,
    ),
    Workload("B32", WEB, "echo", "echo", 32, 1, 400, f"32 clients, {BACK}"),
    Workload("B1", WEB, "echo", "echo", 1, 1, 200, "one client, to itself and back", 0, True),
    Workload("G100w1", GROWTH, "growth", "fanout", 100, 1, 100, f"one to 100, {ONE}"),
    Workload("G1000w1", GROWTH, "growth", "fanout", 1000, 1, 10, f"one to 1,000, {ONE}"),
    Workload("G10000w1", GROWTH, "growth", "fanout", 10000, 1, 20, f"one to 10,000, {ONE}"),
    Workload("G100", GROWTH, "growth", "fanout", 100, 64, 150, f"one to 100, {MANY}"),
    Workload(
        "G10000", GROWTH, "growth", "fanout", 10000, 64, 80, f"one to 10,000, {MANY}", length=3
    ),
    Workload(
        "P32", POST, "post", "echo", 32, 1, 600, "32 clients, up by POST, back by push", length=4
    ),
    Workload("D1", STOMP, "stomp", "fanout", 1, 512, 2000, "one to one, 512 in flight"),
    Workload("D1w1", STOMP, "stomp", "fanout", 1, 1, 300, f"one to one, {ONE}"),
    Workload("D100", STOMP, "stomp", "fanout", 100, 64, 100, f"one to 100, {MANY}"),
    Workload("D1000", STOMP, "stomp", "fanout", 1000, 64, 70, f"one to 1,000, {MANY}", 0, True),
    Workload("E32", STOMP, "stompecho", "echo", 32, 1, 600, f"32 clients, {BACK}"),
    Workload("L32", HTTP, "poll", "fanout", 32, 1, 200, "32 long polls, answered and asked again"),
    Workload("H32", HTTP, "http", "echo", 32, 1, 1000, "32 connections, request and response"),
    Workload("C", MEMORY, "memory", "hold", 0, 0, 0, "idle subscribed connections"),
]

WORKLOADS: Final = {workload.name: workload for workload in _ALL}
"""All of them, by name, in the order in which they are run and shown."""

GROUPS: Final = tuple(dict.fromkeys(workload.group for workload in _ALL))
"""The groups, in order."""
