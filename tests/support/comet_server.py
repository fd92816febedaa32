"""A server for tests: Orbited embedded into a bare site, with back ends of every kind.

Run as ``python -m tests.support.comet_server '{"session": {"ping_interval": 1}}'``; prints one line
of JSON with the ports it has chosen. In-process back ends stand under the names of the captured
vectors (localhost:18001 echo, :18003 rude) and under ``numbers:1``, which sends as many numbered
lines as it is asked for.
"""

import gc
import json
import logging
import sys
from collections import Counter
from typing import Any

from twisted.internet import reactor
from twisted.internet.interfaces import IPushProducer, ITCPTransport
from twisted.internet.protocol import Protocol, ServerFactory
from twisted.web.resource import Resource
from zope.interface import implementer

from orbited.servers import make_factory
from orbited.service import embedded
from orbited.transports import TRANSPORTS


@implementer(IPushProducer)
class Numbers(Protocol):
    """Asked for ``FIRST COUNT``, sends those numbers, one a line, 8 in each turn of the reactor."""

    def connectionMade(self) -> None:
        self.left: list[int] = []
        self.is_paused = False
        self.is_scheduled = False
        self.transport.registerProducer(self, True)
        if ITCPTransport.providedBy(self.transport):
            self.transport.setTcpNoDelay(True)

    def dataReceived(self, data: bytes) -> None:
        for line in data.splitlines():
            first, count = map(int, line.split())
            self.left.extend(range(first, first + count))
        self.left.reverse()
        self.schedule()

    def schedule(self) -> None:
        if not self.is_scheduled and self.left and not self.is_paused:
            self.is_scheduled = True
            reactor.callLater(0.0005, self.produce)

    def produce(self) -> None:
        self.is_scheduled = False
        for _ in range(8):
            if self.left and not self.is_paused and self.connected:
                self.transport.write(b"%d\n" % self.left.pop())
        self.schedule()

    def pauseProducing(self) -> None:
        self.is_paused = True

    def resumeProducing(self) -> None:
        self.is_paused = False
        self.schedule()

    def stopProducing(self) -> None:
        self.left.clear()

    def connectionLost(self, reason: Any = None) -> None:
        self.left.clear()


class Flood(Protocol):
    """Sends 16 MiB at once, whatever anybody says."""

    def connectionMade(self) -> None:
        for _ in range(256):
            self.transport.write(b"x" * 65536)


TRANSPORT_KINDS = [transport.__name__ for transport in TRANSPORTS.values()]


class Measure(Resource):
    """``/measure``: what is left when everything that can be freed was freed."""

    isLeaf = True

    def render_GET(self, request: Any) -> bytes:
        """Twisted: answer in JSON."""
        gc.collect()
        kinds = Counter(type(each).__name__ for each in gc.get_objects())
        alive = sum(kinds[kind] for kind in ("CometSession", *TRANSPORT_KINDS))
        return json.dumps({"timers": len(reactor.getDelayedCalls()), "alive": alive}).encode()


def main() -> None:
    """Listen, say where, and run until SIGTERM."""
    logging.basicConfig(level=logging.WARNING)
    options = json.loads(sys.argv[1])
    echo = make_factory("echo")
    numbers, flood = ServerFactory(), ServerFactory()
    numbers.protocol, flood.protocol = Numbers, Flood
    sockets = {
        name: reactor.listenTCP(0, factory, interface="127.0.0.1").getHost().port
        for name, factory in (("echo", echo), ("numbers", numbers), ("rude", make_factory("rude")))
    }
    local = {
        ("localhost", 18001): echo,
        ("localhost", 18003): make_factory("rude"),
        ("localhost", 18006): echo,
        ("numbers", 1): numbers,
        ("flood", 1): flood,
    }
    broker = options.pop("broker", False)
    if broker:
        from twisted.python.reflect import namedAny

        local["morbid", 61613] = namedAny("morbid.get_stomp_factory")({})
        stomp = reactor.listenTCP(0, local["morbid", 61613], interface="127.0.0.1")
        sockets["stomp"] = stomp.getHost().port
    options["limits"] = {"drain_seconds": 0.2, **options.get("limits", {})}
    access = options.pop("access", [])
    access += ["* -> localhost:18001", "* -> localhost:18003", "* -> localhost:1"]
    access += ["good.example:80 -> localhost:18006", "* -> numbers:1", "* -> flood:1"]
    access += ["* -> morbid:61613", "https://listed.example -> localhost:18001"]
    access += [f"* -> 127.0.0.1:{port}" for port in sockets.values()]
    comet = embedded({**options, "access": access}, local, reactor)
    comet.service.startService()
    reactor.addSystemEventTrigger("before", "shutdown", comet.service.stopService)
    root = Resource()
    root.putChild(b"measure", Measure())
    http = reactor.listenTCP(0, comet.site(root, "/"), interface="127.0.0.1")
    sys.stdout.write(json.dumps({"http": http.getHost().port, **sockets}) + "\n")
    sys.stdout.flush()
    reactor.run()


if __name__ == "__main__":
    main()
