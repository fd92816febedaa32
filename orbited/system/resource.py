"""``/system``: what the server is and how it fares, for those who run it.

==================  ==============================================
``/system``         version, and links to the rest
``/system/counters``  counters and gauges as JSON
``/system/health``  200 and ``"status": "ok"``, or 503 while stopping
==================  ==============================================

Only the addresses of ``[system] allow`` see it. A request that a proxy has passed on, without
that proxy being a trusted one, comes from outside even when the proxy is on this machine.
"""

from collections import Counter
from typing import Any

from orbited import __version__, json
from orbited.cometsession import TCPResource
from orbited.http import Exchange

__all__ = ["SystemResponder"]

_PAGE = f"""<!doctype html>
<meta charset="utf-8"><title>Orbited</title>
<h1>Orbited {__version__}</h1>
<ul><li><a href="system/counters">counters</a><li><a href="system/health">health</a></ul>
"""

#: Any of these shows that somebody passed the request on.
_FORWARDING_HEADERS = ("x-forwarded-for", "forwarded", "x-real-ip", "via")


class SystemResponder:
    """Answers under ``/system``."""

    def __init__(self, tcp: TCPResource) -> None:
        self._tcp = tcp

    def respond(self, exchange: Exchange) -> None:
        """Answer a request; ``exchange.path`` is what follows ``/system``."""
        if not self._admits(exchange):
            exchange.reply(404, "There is nothing here.\n")
        elif exchange.method not in ("GET", "HEAD"):
            exchange.reply(405, "Only GET here.\n", [("Allow", "GET, HEAD")])
        elif exchange.path in ((), ("",)):
            exchange.reply(200, _PAGE, [("Content-Type", "text/html; charset=utf-8")])
        elif exchange.path == ("counters",):
            self._reply_json(exchange, 200, self.counters())
        elif exchange.path == ("health",):
            health = self.health()
            self._reply_json(exchange, 200 if health["status"] == "ok" else 503, health)
        else:
            exchange.reply(404, "There is nothing here.\n")

    def counters(self) -> dict[str, Any]:
        """Counters since the start, and how things stand now."""
        sessions = self._tcp.connections.values()
        transports = Counter(session.transport_name or "none" for session in sessions)
        return {
            "version": __version__,
            "counters": self._tcp.counters.as_dict(),
            "sessions": len(sessions),
            "transports": dict(sorted(transports.items())),
            "queued_bytes": sum(session.core.outbox.queued_bytes for session in sessions),
            "unacknowledged_bytes": sum(session.core.outbox.unacked_bytes for session in sessions),
        }

    def health(self) -> dict[str, Any]:
        """Whether new sessions are taken."""
        status = "stopping" if self._tcp.is_draining else "ok"
        return {"status": status, "sessions": len(self._tcp.connections), "version": __version__}

    def _admits(self, exchange: Exchange) -> bool:
        allow = self._tcp.config.system.allow
        if "*" in allow:
            return True
        is_passed_on = any(exchange.header(name) is not None for name in _FORWARDING_HEADERS)
        is_trusted = bool(self._tcp.config.http.trusted_proxies)
        return exchange.address in allow and (is_trusted or not is_passed_on)

    @staticmethod
    def _reply_json(exchange: Exchange, status: int, value: dict[str, Any]) -> None:
        exchange.reply(status, json.encode(value) + "\n", [("Content-Type", "application/json")])
