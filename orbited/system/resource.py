"""``/system``: what the server is and how it fares, for those who run it.

=======================  =======================================================
``/system``              version, and links to the rest
``/system/monitor``      a page that shows what happens, while it happens
``/system/metrics``      counters and gauges as text for Prometheus, or as JSON
``/system/counters``     the same as JSON
``/system/health``       200 and ``"status": "ok"``, or 503 while stopping
``/system/test``         whether the next is switched on
``/system/test/stomp``   publishes a message, for tests; see ``dispatcher.py``
=======================  =======================================================

Who may see them is told by ``admission.py``.
"""

from collections.abc import Mapping
from typing import Any

from orbited import __version__, json
from orbited.cometsession import TCPResource
from orbited.http import Exchange
from orbited.system import metrics
from orbited.system.admission import Admission
from orbited.system.dispatcher import StompDispatcher
from orbited.system.pages import reply_page
from orbited.system.readings import Readings

__all__ = ["SystemResponder"]


class SystemResponder:
    """Answers under ``/system``.

    Args:
        local_services: what runs in this process; a broker among them can be published to.
    """

    def __init__(self, tcp: TCPResource, local_services: Mapping[Any, Any] | None = None) -> None:
        config = tcp.config
        self.admission = Admission(config, tcp.access)
        self.readings = Readings(tcp)
        services = {} if local_services is None else local_services
        self._dispatcher = StompDispatcher(config.test.stompdispatcher_enabled, services)

    def respond(self, exchange: Exchange) -> None:
        """Answer a request; ``exchange.path`` is what follows ``/system``."""
        refusal = self.admission.refusal(exchange)
        if refusal is not None:
            exchange.reply(404, refusal)
        elif exchange.path == ("test", "stomp"):
            self._dispatcher.respond(exchange)
        elif exchange.method not in ("GET", "HEAD"):
            exchange.reply(405, "Only GET here.\n", [("Allow", "GET, HEAD")])
        else:
            self._show(exchange)

    def counters(self) -> dict[str, Any]:
        """Counters since the start, and how things stand now."""
        return self.readings.take()

    def health(self) -> dict[str, Any]:
        """Whether new sessions are taken."""
        return self.readings.health()

    def _show(self, exchange: Exchange) -> None:
        path = exchange.path
        if path == ():
            reply_page(exchange, "system.html", {"version": __version__})
        elif path == ("monitor",):
            reply_page(exchange, "monitor.html")
        elif path == ("counters",):
            _reply_json(exchange, 200, self.counters())
        elif path == ("metrics",):
            self._show_metrics(exchange)
        elif path == ("health",):
            health = self.health()
            _reply_json(exchange, 200 if health["status"] == "ok" else 503, health)
        elif path == ("test",):
            state = "on" if self._dispatcher.is_enabled else "off"
            exchange.reply(
                200, f"/system/test/stomp is {state} ([test] stompdispatcher.enabled).\n"
            )
        else:
            exchange.reply(404, "There is nothing here.\n")

    def _show_metrics(self, exchange: Exchange) -> None:
        reading = self.counters()
        if "application/json" in (exchange.header("accept") or ""):
            _reply_json(exchange, 200, reading, [("Vary", "Accept")])
        else:
            headers = [("Content-Type", metrics.CONTENT_TYPE), ("Vary", "Accept")]
            exchange.reply(200, metrics.encode(reading), headers)


def _reply_json(
    exchange: Exchange, status: int, value: Any, headers: list[tuple[str, str]] | None = None
) -> None:
    body = json.encode(value) + "\n"
    exchange.reply(status, body, [("Content-Type", "application/json"), *(headers or ())])
