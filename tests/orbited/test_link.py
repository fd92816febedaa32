"""The way to a service in the same process."""

import pytest
from twisted.internet.address import IPv4Address
from twisted.internet.error import ConnectionAborted, ConnectionDone
from twisted.internet.protocol import Protocol
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport

from orbited.link import LocalTransport

HOST = IPv4Address("TCP", "127.0.0.1", 61613)


class Service(Protocol):
    """Remembers what it hears; may answer or close from within."""

    def __init__(self):
        self.received = []
        self.lost = None
        self.react = lambda: None

    def dataReceived(self, data):
        self.received.append(data)
        self.react()

    def connectionLost(self, reason=None):
        self.lost = reason


class Owner:
    """Counts how often it is told."""

    def __init__(self, told):
        self.told = told

    def service_closed(self):
        self.told.append(True)


@pytest.fixture
def parts():
    """Link, browser's side, service, what was closed, clock; connected."""
    browser, service, closed, clock = StringTransport(), Service(), [], Clock()
    link = LocalTransport(browser, service, HOST, clock, Owner(closed))
    link.connect()
    return link, browser, service, closed, clock


def test_bytes_go_both_ways(parts):
    """Up by a call, down by a call."""
    link, browser, service, _, _ = parts
    link.receive(b"up")
    service.transport.write(b"down ")
    service.transport.writeSequence([b"and", b" on"])
    assert service.received == [b"up"]
    assert browser.value() == b"down and on"


def test_addresses(parts):
    """The service sees the browser as its peer, and itself under the name asked for."""
    link, browser, _, _, _ = parts
    assert link.getPeer() == browser.getPeer()
    assert link.getHost() is HOST


@pytest.mark.parametrize(
    ("verb", "error"), [("loseConnection", ConnectionDone), ("abortConnection", ConnectionAborted)]
)
def test_the_service_may_close_from_within(parts, verb, error):
    """It is told in a later turn, once; nothing comes or goes after that."""
    link, browser, service, closed, clock = parts
    service.react = getattr(link, verb)
    link.receive(b"x")
    link.receive(b"y")
    service.transport.write(b"z")
    assert service.lost is None
    assert link.disconnecting
    clock.advance(0)
    assert service.lost.check(error)
    assert service.received == [b"x"]
    assert browser.value() == b""
    link.browser_lost()
    link.loseConnection()
    clock.advance(0)
    assert closed == [True]


def test_a_browser_that_leaves_closes_the_service(parts):
    """At once; what it writes then goes nowhere."""
    link, browser, service, closed, _ = parts
    link.browser_lost()
    assert service.lost.check(ConnectionDone)
    link.write(b"x")
    link.receive(b"y")
    assert (browser.value(), service.received, closed) == (b"", [], [True])


def test_a_service_that_does_not_read_is_given_nothing(parts):
    """What comes meanwhile waits here, and the browser is asked to wait."""
    link, browser, service, _, _ = parts
    link.pauseProducing()
    link.pauseProducing()
    assert browser.producerState == "paused"
    link.receive(b"a")
    link.receive(b"b")
    assert service.received == []
    service.react = link.pauseProducing
    link.resumeProducing()
    assert (service.received, browser.producerState) == ([b"a"], "paused")
    service.react = lambda: None
    link.resumeProducing()
    assert (service.received, browser.producerState) == ([b"a", b"b"], "producing")


def test_a_producer_of_the_service_is_paced_by_the_browser(parts):
    """Registering goes through to the browser's side."""
    link, browser, service, _, _ = parts
    link.registerProducer(service, True)
    assert browser.producer is service
    link.unregisterProducer()
    assert browser.producer is None


def test_stop_producing_closes(parts):
    """A service that wants no more is closed."""
    link, _, service, _, clock = parts
    link.stopProducing()
    clock.advance(0)
    assert service.lost is not None
