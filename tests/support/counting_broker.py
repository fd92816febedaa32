"""A broker in a process of its own that tells its counters: a line of JSON for each line it reads.

The first line that it writes is its port. Arguments are options, ``NAME=VALUE``.
"""

from __future__ import annotations

import json
import sys

from twisted.internet import reactor, stdio
from twisted.protocols.basic import LineReceiver

from morbid.config import read_configuration
from morbid.service import StompService


class Counters(LineReceiver):
    """Standard input and output."""

    delimiter = b"\n"

    def __init__(self, service: StompService) -> None:
        self.service = service

    def connectionMade(self) -> None:
        self.sendLine(b"%d" % self.service.port)

    def lineReceived(self, line: bytes) -> None:
        self.sendLine(json.dumps(self.service.factory.counters()).encode())

    def connectionLost(self, reason: object = None) -> None:
        reactor.stop()


if __name__ == "__main__":
    options = dict(argument.split("=", 1) for argument in sys.argv[1:])
    service = StompService(read_configuration({"port": "0", **options}))
    service.startService()
    stdio.StandardIO(Counters(service))
    reactor.run()
