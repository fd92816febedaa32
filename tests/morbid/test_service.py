"""A broker as a Twisted service."""

from __future__ import annotations

import pytest
from twisted.internet.defer import Deferred
from twisted.internet.error import CannotListenError
from twisted.internet.testing import MemoryReactorClock, StringTransport

from morbid.config import read_configuration
from morbid.service import StompService


@pytest.fixture
def reactor():
    """A reactor that only remembers."""
    return MemoryReactorClock()


def make(reactor, **options):
    """A service with these options."""
    return StompService(read_configuration(options), reactor)


def test_listens_where_it_is_told_to(reactor):
    """Port and interface are those of the configuration, this machine only by default."""
    make(reactor, port="7", interface="::1").startService()
    make(reactor).startService()
    (first, *_), (second, *_) = reactor.tcpServers
    assert first == 7
    assert second == 61613
    assert [server[3] for server in reactor.tcpServers] == ["::1", "127.0.0.1"]


def test_port_that_is_taken(reactor, monkeypatch):
    """A port in use is for the caller to explain."""

    def listen(*arguments, **keywords):
        raise CannotListenError("127.0.0.1", 7, OSError("in use"))

    monkeypatch.setattr(reactor, "listenTCP", listen)
    with pytest.raises(CannotListenError):
        make(reactor).startService()


def test_stopping_drains(reactor):
    """Stopping waits for the port and then for the connections."""
    service = make(reactor)
    service.startService()
    protocol = service.factory.buildProtocol(None)
    transport = StringTransport()
    protocol.makeConnection(transport)
    stopped = []
    service.stopService().addCallback(stopped.append)
    assert transport.disconnecting
    assert stopped == []
    protocol.connectionLost()
    assert stopped == [None]
    assert not service.running


def test_port_that_does_not_close(reactor, monkeypatch, caplog):
    """A port that fails to close does not keep the connections from being drained."""
    service = make(reactor)
    service.startService()
    closing = Deferred()
    monkeypatch.setattr(service._listening, "stopListening", lambda: closing)
    stopped = []
    service.stopService().addCallback(stopped.append)
    assert stopped == []
    closing.errback(OSError("it would not"))
    assert stopped == [None]
    assert "it would not" in caplog.text


def test_stopping_what_never_ran(reactor):
    """A service that never listened is stopped at once."""
    stopped = []
    make(reactor).stopService().addCallback(stopped.append)
    assert stopped == [None]
