"""Counters of one server; they only grow, so that rates can be taken from two readings."""

from dataclasses import asdict, dataclass

__all__ = ["Counters"]


@dataclass(slots=True)
class Counters:
    """Plain integers, counted where the thing happens; ``metrics.py`` has a sentence for each."""

    sessions_opened: int = 0
    sessions_ended: int = 0
    sessions_refused: int = 0
    slow_sessions_closed: int = 0
    transports_opened: int = 0
    packets_sent: int = 0
    bytes_sent: int = 0
    packets_received: int = 0
    bodies_received: int = 0
    bytes_received: int = 0
    websockets_opened: int = 0
    websockets_ended: int = 0
    back_end_connections: int = 0
    back_end_refusals: int = 0
    back_end_pauses: int = 0

    def as_dict(self) -> dict[str, int]:
        """Name to value."""
        return asdict(self)
