"""The page at ``/`` of a server that runs alone: what is here, and where to try it.

Everybody is told that this is Orbited. Monitor and demos are shown to those who may see
``/system``; a demo, when ``[listen]`` has its server and ``[access]`` lets a page reach it.
"""

from collections.abc import Iterator
from html import escape
from urllib.parse import urlencode

from orbited.http import Exchange
from orbited.settings import Config
from orbited.system.admission import Admission
from orbited.system.pages import Markup, reply_page

__all__ = ["FrontPage"]

#: Scheme of a listener to the demo for it, and what it is.
DEMOS = {
    "echo": ("echo", "Echo", "what is sent comes back"),
    "lineecho": ("telnet", "Telnet", "a terminal, line by line"),
    "announce": ("telnet", "Announcements", "a message every second"),
    "stomp": ("stomp", "STOMP shell", "subscribe, send, and see every frame"),
}

_MONITOR = ("system/monitor", "Monitor", "what happens on this server, while it happens")


class FrontPage:
    """Answers one address."""

    def __init__(self, config: Config, admission: Admission) -> None:
        self._admission = admission
        self._links = [_MONITOR, *_demos(config)]

    def respond(self, exchange: Exchange) -> None:
        """Show the page."""
        if exchange.method not in ("GET", "HEAD"):
            exchange.reply(405, "Only GET here.\n", [("Allow", "GET, HEAD")])
            return
        links = self._links if self._admission.refusal(exchange) is None else []
        items = "".join(
            f'        <li><a href="{escape(url)}">{escape(name)}</a>: {escape(sentence)}</li>\n'
            for url, name, sentence in links
        )
        shown = f'      <ul class="list">\n{items}      </ul>\n' if items else ""
        reply_page(exchange, "front.html", {"links": Markup(shown)})


def _demos(config: Config) -> Iterator[tuple[str, str, str]]:
    """Address, name and sentence of each demo that can work."""
    for listener in config.listen:
        hosts = [rule.host for rule in config.access if rule.port == listener.port]
        if listener.scheme in DEMOS and hosts:
            page, name, sentence = DEMOS[listener.scheme]
            query = urlencode({"host": hosts[0], "port": listener.port})
            yield f"static/demos/{page}.html?{query}", name, sentence
