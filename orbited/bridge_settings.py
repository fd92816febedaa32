"""What may be set about the end points ``/ws`` and ``/stomp``.

The rest of their bounds are those of sessions: ``[limits]`` for their number and the size of what
comes up, ``[session]`` for pings and for what may wait for a slow client.
"""

from dataclasses import dataclass

from orbited.protocol.settings import setting

__all__ = ["WebSocketSettings"]


@dataclass(frozen=True, slots=True)
class WebSocketSettings:
    """Section ``[websocket]``."""

    enabled: bool = setting(True, "mount `/ws` and `/stomp`")
    stomp_broker: str = setting(
        "", "HOST:PORT of the broker behind `/stomp`; empty for the one in this process"
    )
    stomp_frame_bytes: int = setting(
        1 << 20,
        "longest STOMP frame that is put together to one message; more goes in pieces",
        1024,
    )
    echo_enabled: bool = setting(False, "mount a WebSocket echo at `/ws/echo`, for tests")
