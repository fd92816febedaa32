"""What may be set about packets and sessions; each bound says what happens when it is reached.

Sizes are in bytes, times in seconds. ``orbited.config`` reads these classes to know the keys
of ``[limits]`` and ``[session]``, so this is also their reference.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

__all__ = ["PacketLimits", "RequestLimits", "SessionSettings", "setting"]


def setting(
    default: Any,
    help: str,
    minimum: float = 0,
    *,
    key: str = "",
    choices: tuple[str, ...] = (),
    read: Callable[[Iterable[str]], Any] = tuple,
) -> Any:
    """Declare a dataclass field.

    Args:
        help: its sentence for the reference, with what happens at a bound.
        minimum: of a number.
        key: how a file spells it, where that is not the field's name.
        choices: of a text, or of each word of a list; "" is one too, and means the default.
        read: makes the value of the words of a list.
    """
    metadata = {"help": help, "minimum": minimum, "key": key, "choices": choices, "read": read}
    return field(default=default, metadata=metadata)


@dataclass(frozen=True, slots=True)
class PacketLimits:
    """How much one POST, or one WebSocket message, may hold; beyond it nothing is applied."""

    post_bytes: int = setting(4 << 20, "largest POST (413) or WebSocket message (1009)", 64)
    argument_bytes: int = setting(4 << 20, "longest argument of a packet; 400 beyond", 64)
    packets_per_post: int = setting(10_000, "most packets in one body; 400 beyond", 1)


@dataclass(frozen=True, slots=True)
class RequestLimits(PacketLimits):
    """What one HTTP request may hold, and how long each part of it may take."""

    request_line_bytes: int = setting(8 << 10, "longest request line; 414 beyond", 64)
    header_bytes: int = setting(16 << 10, "largest head, or trailer, of a request; 431 beyond", 512)
    header_count: int = setting(100, "most headers of a request; 431 beyond", 8)
    header_seconds: float = setting(20.0, "time for the head of a request; 408 beyond", 0.1)
    body_seconds: float = setting(20.0, "time for the body of a request; 408 beyond", 0.1)
    body_bytes_per_second: int = setting(
        1000, "each time that so much of a body has come, it gets a second more", 1
    )
    chunk_line_bytes: int = setting(
        256, "longest size line of a chunk, extensions included; 400 beyond", 16
    )
    keep_alive_seconds: float = setting(75.0, "idle time of a connection; closed beyond", 0.1)
    stalled_seconds: float = setting(
        60.0, "time in which a browser takes nothing of what waits for it; cut beyond", 0.1
    )
    linger_seconds: float = setting(
        2.0, "time for which a refused request is still read, so that its answer arrives", 0
    )


@dataclass(frozen=True, slots=True)
class SessionSettings:
    """The life of one session."""

    ping_interval: int = setting(30, "silence after which the browser is pinged", 1)
    ping_timeout: int = setting(30, "time it then has before the session is closed", 1)
    unused_timeout: float = setting(20.0, "life of a session that no transport was opened on", 0.1)
    close_timeout: float = setting(30.0, "time a closed session waits for its last packets", 0.1)
    packet_bytes: int = setting(16_384, "largest data packet; more is split", 1024)
    burst_bytes: int = setting(
        65_536, "most that one WebSocket message or answer to a poll carries; more follows", 1024
    )
    unacknowledged_bytes: int = setting(
        2 << 20, "sent and not acknowledged; at this bound nothing more is sent", 4096
    )
    pause_bytes: int = setting(256 << 10, "waiting to be sent; at this bound the back end pauses")
    queued_bytes: int = setting(
        4 << 20, "waiting to be sent; beyond it the session is closed as a slow consumer", 1024
    )
    acknowledge_seconds: float = setting(1.0, "longest wait before a WebSocket client is acked")
    acknowledge_packets: int = setting(32, "most upstream packets before it is acked", 1)
