"""How a server fares at this moment: one walk over its sessions, and a look at the process."""

import os
import platform
import time
from collections import Counter
from pathlib import Path
from typing import Any

import twisted

from orbited import __version__
from orbited.cometsession import TCPResource

__all__ = ["Readings", "memory_bytes"]

_STATM = Path("/proc/self/statm")


class Readings:
    """Takes readings of one server.

    Args:
        tcp: its sessions; the start of the uptime is when this is made.
    """

    def __init__(self, tcp: TCPResource) -> None:
        self._tcp = tcp
        self._started = tcp.clock.seconds()

    def take(self) -> dict[str, Any]:
        """Counters since the start, and gauges as they stand; all of it can be JSON.

        A reading costs some microseconds for each session, and nothing between two readings.
        ``transports`` has the name of each transport that is open, ``none`` for sessions that
        wait for the next one, and the WebSockets of the plain end points under their own names.
        ``seconds`` is a clock for rates: it never jumps.
        """
        tcp = self._tcp
        transports: Counter[str] = Counter(bridge.name for bridge in tcp.bridges)
        queued = unacknowledged = slow = 0
        for session in tcp.connections.values():
            core = session.core
            transports[session.transport_name or "none"] += 1
            queued += core.outbox.queued_bytes
            unacknowledged += core.outbox.unacked_bytes
            slow += core.is_paused
        now = tcp.clock.seconds()
        return {
            "version": __version__,
            "versions": {
                "orbited": __version__,
                "python": platform.python_version(),
                "twisted": twisted.__version__,
            },
            "status": "stopping" if tcp.is_draining else "ok",
            "seconds": now,
            "uptime_seconds": now - self._started,
            "counters": tcp.counters.as_dict(),
            "sessions": len(tcp.connections),
            "websockets": len(tcp.bridges),
            "transports": dict(sorted(transports.items())),
            "queued_bytes": queued,
            "unacknowledged_bytes": unacknowledged,
            "slow_sessions": slow,
            "memory_bytes": memory_bytes(),
            "cpu_seconds": time.process_time(),
        }

    def health(self) -> dict[str, Any]:
        """Whether new sessions are taken."""
        tcp = self._tcp
        status = "stopping" if tcp.is_draining else "ok"
        return {"status": status, "sessions": len(tcp.connections), "version": __version__}


def memory_bytes() -> int:
    """Resident memory of this process; its peak where the system tells no more; 0 if nothing."""
    try:
        pages = _STATM.read_text(encoding="ascii").split()[1]
        return int(pages) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, IndexError):
        return _peak_bytes()


def _peak_bytes() -> int:
    try:
        import resource
    except ImportError:  # Windows
        return 0
    unit = 1 if platform.system() == "Darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
