"""The test servers."""

import pytest
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport

from orbited.servers import TEST_SERVERS, make_factory
from orbited.servers.protocols import MAX_LINE_BYTES


def connect(scheme):
    """A protocol of that server, connected."""
    protocol = make_factory(scheme).buildProtocol(None)
    transport = StringTransport()
    protocol.makeConnection(transport)
    return protocol, transport


def test_echo_returns_every_byte():
    """At once, and it does not read from who does not read."""
    protocol, transport = connect("echo")
    protocol.dataReceived(b"\0\xffx")
    assert transport.value() == b"\0\xffx"
    assert transport.producer is transport


def test_lineecho_returns_complete_lines():
    """With their line end; the rest waits, up to a bound."""
    protocol, transport = connect("lineecho")
    protocol.dataReceived(b"a\nb")
    protocol.dataReceived(b"c\n\nd")
    assert transport.value() == b"a\nbc\n\n"
    protocol.dataReceived(b"x" * MAX_LINE_BYTES)
    assert transport.disconnecting


def test_rude_closes():
    """As soon as somebody is there."""
    _, transport = connect("rude")
    assert transport.disconnecting


def test_announce_counts():
    """Once a second, from 1, without line ends, for as long as somebody listens."""
    clock = Clock()
    protocol = make_factory("announce").buildProtocol(None)
    protocol.clock = clock
    transport = StringTransport()
    protocol.makeConnection(transport)
    clock.pump([1, 1])
    assert transport.value() == b"message 1message 2"
    protocol.connectionLost()
    clock.advance(5)
    assert transport.value() == b"message 1message 2"


def test_nobody_is_read_from_who_does_not_read():
    """Both echoes let the peer itself pace them."""
    for scheme in ("echo", "lineecho"):
        _, transport = connect(scheme)
        assert (transport.producer, transport.streaming) == (transport, True)


def test_announcements_do_not_pile_up():
    """Who does not read misses some, and hears the right number afterwards."""
    clock = Clock()
    protocol = make_factory("announce").buildProtocol(None)
    protocol.clock = clock
    transport = StringTransport()
    protocol.makeConnection(transport)
    clock.advance(1)
    transport.producer.pauseProducing()
    clock.pump([1, 1])
    assert transport.value() == b"message 1"
    transport.producer.resumeProducing()
    clock.advance(1)
    assert transport.value() == b"message 1message 4"
    protocol.connectionLost()


@pytest.mark.parametrize("scheme", sorted(TEST_SERVERS))
def test_every_server_has_a_factory(scheme):
    """That builds its protocol."""
    assert isinstance(make_factory(scheme).buildProtocol(None), TEST_SERVERS[scheme])
