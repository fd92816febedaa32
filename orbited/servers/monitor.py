"""``monitor://``: how the server fares, over plain TCP, as Orbited 0.7 tells it.

JSON arrays, each ended by ``~``. First the names, then all values, then once a second those that
have changed::

    ["INIT", ["user", "pid", "cpu", "mem", "connections"]]~
    ["UPDATE", {"user": "orbited", "pid": 4711, "cpu": "0.0", "mem": "0.8", ...}]~
    ["UPDATE", {"cpu": "1.5", "connections": 12}]~

``cpu`` and ``mem`` are percentages, as text; ``connections`` are sessions and plain WebSockets,
each of which has one to a back end. Only the addresses of ``[system] allow`` are told anything.
"""

import getpass
import os
from collections.abc import Callable, Mapping
from typing import Any, cast

from twisted.internet.interfaces import IAddress, IReactorTime, ITransport
from twisted.internet.protocol import Protocol, ServerFactory, connectionDone
from twisted.internet.task import LoopingCall
from twisted.python.failure import Failure

from orbited import json
from orbited.servers.pacing import Pace

__all__ = ["Monitor", "MonitorFactory"]

NAMES = ("user", "pid", "cpu", "mem", "connections")

END = "~"


class Monitor(Protocol):
    """One who watches."""

    seconds = 1.0

    def __init__(
        self, take: Callable[[], Mapping[str, Any]], clock: IReactorTime | None = None
    ) -> None:
        self._take = take
        self._clock = clock

    def connectionMade(self) -> None:
        """Somebody connected."""
        self._pace = Pace(self.transport)
        self._known: dict[str, Any] = {}
        self._last: tuple[float, float] | None = None
        self._loop = LoopingCall(self._update)
        if self._clock is not None:
            self._loop.clock = self._clock
        self._send("INIT", NAMES)
        self._loop.start(self.seconds)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """The peer is gone."""
        if self._loop.running:
            self._loop.stop()

    def _update(self) -> None:
        """Tell what has changed; a peer that does not read hears of it later."""
        if self._pace.is_paused:
            return
        values = self._values(self._take())
        changed = {name: value for name, value in values.items() if self._known.get(name) != value}
        self._known = values
        if changed:
            self._send("UPDATE", changed)

    def _values(self, reading: Mapping[str, Any]) -> dict[str, Any]:
        now = (reading["seconds"], reading["cpu_seconds"])
        last, self._last = self._last, now
        cpu = 0.0
        if last is not None and now[0] > last[0]:
            cpu = 100 * (now[1] - last[1]) / (now[0] - last[0])
        total = _total_memory()
        memory = 100 * reading["memory_bytes"] / total if total else 0.0
        return {
            "user": _user(),
            "pid": os.getpid(),
            "cpu": f"{cpu:.1f}",
            "mem": f"{memory:.1f}",
            "connections": reading["sessions"] + reading["websockets"],
        }

    def _send(self, name: str, value: Any) -> None:
        data = (json.encode([name, value]) + END).encode("ascii")
        cast(ITransport, self.transport).write(data)


class MonitorFactory(ServerFactory):
    """Lets those watch who may.

    Args:
        take: takes a reading.
        allow: addresses that may watch; ``*`` among them for everybody.
        clock: the reactor, unless a test says otherwise.
    """

    noisy = False

    def __init__(
        self,
        take: Callable[[], Mapping[str, Any]],
        allow: tuple[str, ...],
        clock: IReactorTime | None = None,
    ) -> None:
        self._take = take
        self._clock = clock
        self._allow = allow

    def buildProtocol(self, addr: IAddress | None) -> Any:
        """Twisted: somebody connects; None closes at once."""
        if "*" not in self._allow and getattr(addr, "host", None) not in self._allow:
            return None
        return Monitor(self._take, self._clock)


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # an account without a name
        return str(os.getuid())


def _total_memory() -> int:
    """Bytes of memory in this machine; 0 where the system does not tell."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, OSError, ValueError):
        return 0
