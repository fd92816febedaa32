"""``monitor://``: what it tells, whom, and when."""

import json
import os

import pytest
from twisted.internet.address import IPv4Address
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport

from orbited.protocol.addresses import Networks
from orbited.servers.monitor import MonitorFactory

LOOPBACK = Networks(("127.0.0.1", "::1"))


class Watched:
    """Readings that a test sets, and somebody who watches them."""

    def __init__(self):
        self.clock = Clock()
        self.reading = {
            "seconds": 0.0,
            "cpu_seconds": 0.0,
            "memory_bytes": 0,
            "sessions": 2,
            "websockets": 1,
        }
        factory = MonitorFactory(lambda: self.reading, LOOPBACK, self.clock)
        self.protocol = factory.buildProtocol(IPv4Address("TCP", "127.0.0.1", 5000))
        self.transport = StringTransport()
        self.protocol.makeConnection(self.transport)

    def told(self):
        """What has come since the last time."""
        *arrays, rest = self.transport.value().decode("ascii").split("~")
        self.transport.clear()
        assert rest == ""
        return [json.loads(array) for array in arrays]


def test_all_is_told_at_first():
    """The names, then every value: numbers as numbers, percentages as text."""
    init, (name, values) = Watched().told()
    assert init == ["INIT", ["user", "pid", "cpu", "mem", "connections"]]
    assert name == "UPDATE"
    assert list(values) == init[1]
    assert values["pid"] == os.getpid()
    assert (values["cpu"], values["mem"], values["connections"]) == ("0.0", "0.0", 3)


def test_only_changes_are_told_afterwards():
    """Once a second, and nothing when nothing has changed."""
    watched = Watched()
    watched.told()
    watched.reading |= {"seconds": 1.0, "cpu_seconds": 0.25, "sessions": 4}
    watched.clock.advance(1)
    assert watched.told() == [["UPDATE", {"cpu": "25.0", "connections": 5}]]
    watched.reading |= {"seconds": 2.0, "cpu_seconds": 0.5}
    watched.clock.advance(1)
    assert watched.told() == []


def test_who_does_not_read_hears_of_it_later():
    """Nothing piles up meanwhile."""
    watched = Watched()
    watched.told()
    watched.transport.producer.pauseProducing()
    watched.reading |= {"sessions": 9}
    watched.clock.pump([1, 1])
    assert watched.told() == []
    watched.transport.producer.resumeProducing()
    watched.clock.advance(1)
    assert watched.told() == [["UPDATE", {"connections": 10}]]


def test_nobody_is_told_after_the_end():
    """The timer ends with the connection."""
    watched = Watched()
    watched.protocol.connectionLost()
    assert watched.clock.getDelayedCalls() == []


@pytest.mark.parametrize(
    ("address", "is_told"), [("127.0.0.1", True), ("::1", True), ("192.0.2.1", False)]
)
def test_only_those_watch_who_may(address, is_told):
    """The addresses of ``[system] allow``; anybody else is closed at once."""
    factory = MonitorFactory(dict, LOOPBACK)
    peer = IPv4Address("TCP", address, 5000)
    assert (factory.buildProtocol(peer) is not None) is is_told
    everybody = MonitorFactory(dict, Networks(("*",)))
    assert everybody.buildProtocol(peer) is not None
