"""Push over a STOMP broker that Orbited exposes to browsers; the default push component."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from thywill_server.push.orbited_stomp.component import OrbitedStomp

__all__ = ["OrbitedStomp"]


def __getattr__(name: str) -> Any:
    # On demand: a broker in another process imports only the tickets beside it.
    if name == "OrbitedStomp":
        from thywill_server.push.orbited_stomp.component import OrbitedStomp

        return OrbitedStomp
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
