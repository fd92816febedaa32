"""Readings as text for Prometheus, in its exposition format 0.0.4.

::

    # HELP orbited_sessions Sessions by transport.
    # TYPE orbited_sessions gauge
    orbited_sessions{transport="websocket"} 12

Each name begins with ``orbited_``, counters end in ``_total``, and units are base units.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

__all__ = ["CONTENT_TYPE", "encode"]

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

#: What each counter counts; the name of a counter here is its field of ``Counters``.
COUNTERS = {
    "sessions_opened": "Sessions that were created.",
    "sessions_ended": "Sessions that are over.",
    "sessions_refused": "Sessions that were refused for a limit.",
    "slow_sessions_closed": "Sessions that were closed because the browser read too slowly.",
    "transports_opened": "Requests that opened a transport, long polls among them.",
    "packets_sent": "Packets to browsers, those that were sent again among them.",
    "bytes_sent": "Application bytes to browsers, those that were sent again among them.",
    "packets_received": "Packets of application bytes from browsers.",
    "bodies_received": "POSTs and WebSocket messages that brought packets.",
    "bytes_received": "Bytes of those bodies, and of messages to the plain end points.",
    "websockets_opened": "WebSockets to the plain end points that were accepted.",
    "websockets_ended": "WebSockets to the plain end points that are over.",
    "back_end_connections": "Connections to back ends.",
    "back_end_refusals": "Connections that the access list did not allow.",
    "back_end_pauses": "Times that a back end had to wait for a slow browser.",
}

#: Single values of a reading, under their names in it.
GAUGES = {
    "queued_bytes": "Bytes that wait to be sent to browsers.",
    "unacknowledged_bytes": "Bytes that were sent and are kept until they are acknowledged.",
    "slow_sessions": "Sessions whose back end has to wait for the browser.",
    "memory_bytes": "Resident memory of the process.",
    "uptime_seconds": "Time since the server started.",
}


class _Sample(NamedTuple):
    labels: Mapping[str, str]
    value: float


def encode(reading: Mapping[str, Any]) -> str:
    """Write a reading of ``readings.Readings``."""
    lines = _family("info", "gauge", "Versions.", [_Sample(reading["versions"], 1)])
    by_transport = [
        _Sample({"transport": name}, count) for name, count in reading["transports"].items()
    ]
    lines += _family("sessions", "gauge", "Sessions and WebSockets by transport.", by_transport)
    accepting = _Sample({}, reading["status"] == "ok")
    lines += _family("accepting", "gauge", "1 while new sessions are taken.", [accepting])
    for name, sentence in GAUGES.items():
        lines += _family(name, "gauge", sentence, [_Sample({}, reading[name])])
    cpu = [_Sample({}, reading["cpu_seconds"])]
    lines += _family("cpu_seconds_total", "counter", "CPU time of the process.", cpu)
    for name, value in reading["counters"].items():
        lines += _family(f"{name}_total", "counter", COUNTERS[name], [_Sample({}, value)])
    return "".join(f"{line}\n" for line in lines)


def _family(name: str, kind: str, sentence: str, samples: list[_Sample]) -> list[str]:
    full = f"orbited_{name}"
    escaped = sentence.replace("\\", r"\\").replace("\n", r"\n")
    lines = [f"# HELP {full} {escaped}", f"# TYPE {full} {kind}"]
    return lines + [f"{full}{_labels(labels)} {_number(value)}" for labels, value in samples]


def _labels(labels: Mapping[str, str]) -> str:
    if not labels:
        return ""
    return "{" + ",".join(f'{name}="{_escape(value)}"' for name, value in labels.items()) + "}"


def _escape(value: str) -> str:
    return value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")


def _number(value: float) -> str:
    return repr(float(value)) if isinstance(value, float) else str(int(value))
