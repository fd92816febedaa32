"""``/system/test/stomp?dest=D&msg=M``: publishes M to D on the broker in this process.

For the tests of pages: ``Orbited.test.stompdispatcher.send(dest, msg)`` of 0.7 asks for it with a
script element, so the answer is a script that does nothing. It is there only when ``[test]
stompdispatcher.enabled`` is 1, for those who may see ``/system``, and not for pages of other sites.
"""

import logging
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs, urlsplit

from orbited.http import Exchange

__all__ = ["StompDispatcher"]

log = logging.getLogger(__name__)

_SCRIPT = [("Content-Type", "text/javascript; charset=utf-8")]


class StompDispatcher:
    """Answers one address.

    Args:
        is_enabled: the key of the configuration.
        local_services: a broker is one of them that has ``broker.publish``.
    """

    def __init__(self, is_enabled: bool, local_services: Mapping[Any, Any]) -> None:
        self.is_enabled = is_enabled
        self._local_services = local_services

    def respond(self, exchange: Exchange) -> None:
        """Publish, or say why not."""
        if not self.is_enabled:
            sentence = "This is switched off: [test] stompdispatcher.enabled is 0.\n"
            exchange.reply(404, sentence)
            return
        if exchange.method not in ("GET", "POST"):
            exchange.reply(405, "Only GET and POST here.\n", [("Allow", "GET, POST")])
            return
        if _is_foreign(exchange):
            exchange.reply(403, "Pages of other sites may not publish here.\n")
            return
        # Decoded here: the edge hands over bytes as characters, and a message is UTF-8.
        query = parse_qs(urlsplit(exchange.target).query, keep_blank_values=True)
        destination, message = query.get("dest", [""])[-1], query.get("msg", [""])[-1]
        if not destination:
            exchange.reply(400, "Expected ?dest=DESTINATION&msg=MESSAGE.\n")
            return
        broker = self._broker()
        if broker is None:
            sentence = "There is no broker in this process; [listen] stomp:// starts one.\n"
            exchange.reply(503, sentence)
            return
        try:
            broker.publish(destination, {"content-type": "text/plain"}, message.encode())
        except Exception as error:  # the broker's own; this package knows nothing of it
            log.warning("the broker did not take a message of /system/test/stomp: %s", error)
            exchange.reply(503, "The broker did not take it.\n")
            return
        exchange.reply(200, "/* published */\n", _SCRIPT)

    def _broker(self) -> Any:
        services = self._local_services.values()
        return next((s.broker for s in services if hasattr(s, "broker")), None)


def _is_foreign(exchange: Exchange) -> bool:
    """The request was made by a page of another site, as far as the browser tells."""
    site = exchange.header("sec-fetch-site")
    if site is not None and site not in ("same-origin", "none"):
        return True
    own = f"{exchange.scheme}://{exchange.header('host') or ''}"
    origin, referer = exchange.header("origin"), exchange.header("referer")
    if origin is not None:
        return origin != own
    return site is None and referer is not None and not referer.startswith(f"{own}/")
