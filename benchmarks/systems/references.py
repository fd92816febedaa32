"""Yardsticks: what sending costs with no protocol around it.

Each of them reads frames of a fixed length from one port and sends every frame to all that are
connected to another; what a subscriber sends comes back to it. The frames are as long as the
frames of the protocol that they are compared with.
"""

from __future__ import annotations

import platform
import sys
from functools import partial
from typing import ClassVar, Final

from benchmarks.conversation import MESSAGE, Conversation, get, message_of
from benchmarks.generator import build
from benchmarks.processes import free_ports
from benchmarks.systems.base import SERVERS, Bench, System, output_of, twisted_version
from benchmarks.workloads import MESSAGE_BYTES, STOMP_FRAME_BYTES

STOMP_KINDS: Final = frozenset({"stomp", "stompecho"})


class Floor(System):
    """One of the programs in ``servers/``."""

    kinds = frozenset({"stomp", "stompecho"})
    is_reference: ClassVar = True
    answers_at_once: ClassVar = False
    _port = 0
    _publish_port = 0

    def __init__(self, program: str, way: str, title: str, bench: Bench) -> None:
        self.name = f"raw-{way}"
        self.title = title
        self._program, self._way = program, way
        self._frame_bytes = 0
        self.is_in_short_runs = self.is_yardstick = way == "c-send"
        self.rounds_at_most = 9 if self.is_yardstick else 1
        if way in ("c-send", "c-gather", "tw-direct"):
            self.kinds = type(self).kinds | {"fan", "echo"}
        if way == "c-send":
            self.kinds |= {"growth"}
        super().__init__(bench)

    def version(self) -> str:
        """The compiler, or Python and Twisted."""
        if self._program.endswith(".c"):
            return output_of(["cc", "--version"])
        if "twisted" in self._program:
            return twisted_version()
        return f"Python {platform.python_version()}"

    def start(self) -> None:
        """Nothing yet: see ``prepare``."""

    def prepare(self, kind: str) -> None:
        """Start it for frames of the length that this kind has."""
        frame_bytes = STOMP_FRAME_BYTES if kind in STOMP_KINDS else MESSAGE_BYTES
        if frame_bytes == self._frame_bytes and self.pids():
            return
        self.stop()
        self._frame_bytes = frame_bytes
        self._port, self._publish_port = free_ports(2)
        if self._program.endswith(".c"):
            command: list[object] = [build(SERVERS / self._program, self.bench.work)]
        else:
            command = [sys.executable, SERVERS / self._program]
        way = self._way.rpartition("-")[2]
        self.processes.start([*command, self._port, self._publish_port, way, frame_bytes])
        self.processes.wait_for(self._port)

    def conversation(self, kind: str) -> Conversation:
        """Frames of that length."""
        frame = message_of(self._frame_bytes)
        talk = Conversation().role("sub").address(self._port)
        if kind.endswith("echo"):
            talk.publish(frame)
        return talk.role("pub").address(self._publish_port).step().publish(frame)


class HttpFloor(System):
    """Request and response: what one round of long polling costs at least."""

    kinds = frozenset({"http"})
    is_reference: ClassVar = True
    _port = 0

    def __init__(self, way: str, title: str, bench: Bench) -> None:
        self.name = f"raw-http-{way}"
        self.is_in_short_runs = way == "by-hand"
        self.title = title
        self._way = way
        super().__init__(bench)

    def version(self) -> str:
        """Twisted and Python."""
        return twisted_version()

    def start(self) -> None:
        """Start it."""
        (self._port,) = free_ports(1)
        self.processes.start([sys.executable, SERVERS / "floor_http.py", self._port, self._way])
        self.processes.wait_for(self._port)

    def conversation(self, kind: str) -> Conversation:
        """The path comes back as the body."""
        request = get(b"/" + MESSAGE)
        talk = Conversation().role("sub").address(self._port, "http")
        return talk.publish(request, response=True)


SYSTEMS: Final = [
    partial(Floor, "floor.c", "c-send", "`send()` in C"),
    partial(Floor, "floor.c", "c-gather", "`send()` in C, gathered"),
    partial(Floor, "floor_epoll.py", "py-send", "`socket.send` in Python"),
    partial(Floor, "floor_twisted.py", "tw-write", "Twisted, `transport.write`"),
    partial(Floor, "floor_twisted.py", "tw-direct", "Twisted, direct `socket.send`"),
    partial(Floor, "floor_twisted.py", "tw-gather", "Twisted, gathered, direct `socket.send`"),
    partial(HttpFloor, "twisted-web", "`twisted.web`, answered at once"),
    partial(HttpFloor, "twisted-web-later", "`twisted.web`, answered later"),
    partial(HttpFloor, "by-hand", "HTTP parsed by hand on Twisted"),
]
