"""The end points ``/ws`` and ``/stomp``: who gets through, and what is said to others."""

from dataclasses import fields
from pathlib import Path

import pytest
from twisted.internet.error import ConnectionRefusedError
from twisted.internet.testing import MemoryReactorClock
from twisted.python.failure import Failure

from orbited.bridge_settings import WebSocketSettings
from orbited.config import from_mapping
from orbited.service import Comet
from tests.support.bridge_server import Server
from tests.support.exchange import MemoryExchange
from tests.support.websocket_frames import BINARY, HANDSHAKE, TEXT, Received


@pytest.fixture
def server():
    """With the usual settings."""
    return Server()


# -- who gets through -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "host", "port"),
    [("/ws/127.0.0.1:7", "127.0.0.1", 7), ("/ws/[::1]:7", "::1", 7)],
)
def test_the_back_end_is_connected_first(server, path, host, port):
    """The browser is accepted when the back end has answered, under an IPv6 literal too."""
    exchange = server.ask(path)
    assert exchange.status is None
    assert server.attempt()[:2] == (host, port)
    transport = server.accept()
    assert exchange.status == 101
    assert transport.no_delay
    assert server.counters.websockets_opened == server.counters.back_end_connections == 1


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/ws", 404),
        ("/ws/", 404),
        ("/ws/localhost", 404),
        ("/ws/localhost:", 404),
        ("/ws/localhost:0", 404),
        ("/ws/localhost:65536", 404),
        ("/ws/::1:7", 404),
        ("/ws/local:1/more", 404),
        ("/ws/local:1\nmore", 404),
        ("/ws/" + "x" * 1000 + ":1", 404),
        ("/ws/echo", 404),  # unless it is configured
        ("/ws/other.example:7", 403),
        ("/ws/127.0.0.1:8", 403),
        ("/ws/localhost:7", 403),  # names are compared as they are written
        ("/ws/127.0.0.1:9", 403),  # for another origin
        ("/ws/refusing:1", 503),
        ("/stomp/more", 404),
    ],
)
def test_a_path_that_leads_nowhere(server, path, status):
    """It is answered with a status and a sentence, before any upgrade."""
    exchange = server.ask(path)
    assert (exchange.status, exchange.is_finished) == (status, True)
    assert exchange.content.endswith(b".\n")
    assert not server.bridges
    assert not server.reactor.tcpClients


@pytest.mark.parametrize(
    ("origin", "path", "is_allowed"),
    [
        (None, "/ws/local:1", True),
        ("http://orbited.example", "/ws/local:1", True),
        ("https://orbited.example", "/ws/local:1", False),
        ("https://evil.example", "/ws/local:1", False),
        ("https://evil.example", "/stomp", False),
        ("null", "/stomp", False),
        ("https://listed.example", "/ws/local:1", False),
        ("https://listed.example", "/ws/127.0.0.1:9", True),
    ],
)
def test_the_origin_decides(server, origin, path, is_allowed):
    """The access list is that of sessions."""
    exchange = server.ask(path, headers={"origin": origin} if origin else {})
    if server.reactor.tcpClients:
        server.accept()
    assert exchange.status == (101 if is_allowed else 403)
    assert server.counters.back_end_refusals == (not is_allowed)


def test_a_host_that_is_not_ours(server):
    """A name that somebody else's DNS has given this server is not of the same origin."""
    headers = {"host": "rebound.example", "origin": "http://rebound.example"}
    assert server.ask("/ws/local:1", headers=headers).status == 403


def test_a_request_that_is_no_handshake(server):
    """It gets what every other WebSocket here answers to that."""
    exchange = MemoryExchange(path="/ws/local:1")
    server.comet.pages.respond(exchange)
    assert exchange.status == 426
    assert server.ask("/stomp", headers={"sec-websocket-version": "8"}).status == 400


@pytest.mark.parametrize(
    ("path", "offered", "chosen"),
    [
        ("/stomp", "v10.stomp, v11.stomp, v12.stomp", "v12.stomp"),
        ("/stomp", "v11.stomp, v10.stomp", "v11.stomp"),
        ("/stomp", "v10.stomp", "v10.stomp"),
        ("/stomp", "binary", None),
        ("/stomp", "", None),
        ("/ws/local:1", "v12.stomp", "v12.stomp"),
        ("/ws/local:1", "binary", "binary"),
        ("/ws/local:1", "mqtt", None),
    ],
)
def test_subprotocols(server, path, offered, chosen):
    """The newest STOMP that is offered; plain bytes have a name as well."""
    headers = {"sec-websocket-protocol": offered} if offered else {}
    head = server.ask(path, headers=headers).content.decode()
    lines = [line for line in head.split("\r\n") if line.startswith("Sec-WebSocket-Protocol")]
    assert lines == ([f"Sec-WebSocket-Protocol: {chosen}"] if chosen else [])


def test_the_broker_of_stomp():
    """The one in this process, by whichever of its names is allowed; or the one configured."""
    server = Server()
    server.open("/stomp")
    assert len(server.services.built) == 1
    configured = Server(websocket={"stomp_broker": "127.0.0.1:7"})
    configured.open_tcp("/stomp")
    assert configured.attempt()[:2] == ("127.0.0.1", 7)
    forbidden = Server(websocket={"stomp_broker": "127.0.0.1:8"})
    assert forbidden.ask("/stomp").status == 403


def test_without_a_broker():
    """The sentence tells which setting is missing."""
    comet = Comet(from_mapping({}), {}, MemoryReactorClock())
    exchange = MemoryExchange(path="/stomp", headers=HANDSHAKE)
    comet.pages.respond(exchange)
    assert exchange.status == 404
    assert b"[websocket] stomp_broker" in exchange.content


def test_it_may_be_switched_off():
    """Then there is nothing under these names."""
    server = Server(websocket={"enabled": "0"})
    for path in ("/ws/local:1", "/stomp"):
        assert server.ask(path).status == 404


# -- what goes wrong while connecting -------------------------------------------------------------


def test_a_back_end_that_refuses_is_502(server):
    """Nothing stays behind."""
    exchange = server.ask("/ws/127.0.0.1:7")
    assert len(server.bridges) == 1
    server.attempt()[2].clientConnectionFailed(None, Failure(ConnectionRefusedError()))
    assert exchange.status == 502
    assert not server.bridges
    assert not server.reactor.getDelayedCalls()


def test_a_back_end_that_does_not_answer_is_504(server):
    """After [proxy] connect_seconds."""
    exchange = server.ask("/ws/127.0.0.1:7")
    server.reactor.advance(3.9)
    assert exchange.status is None
    server.reactor.advance(0.2)
    assert exchange.status == 504
    assert not server.bridges


def test_a_browser_that_leaves_while_connecting(server):
    """The connection is given up, and not answered."""
    exchange = server.ask("/ws/127.0.0.1:7")
    exchange.lose()
    assert exchange.status is None
    assert not server.bridges
    assert not server.reactor.getDelayedCalls()


def test_the_server_stops_while_connecting(server):
    """The browser is told to come back."""
    exchange = server.ask("/ws/127.0.0.1:7")
    server.comet.tcp.drain()
    assert (exchange.status, exchange.headers["Retry-After"]) == (503, "5")
    assert not server.bridges


@pytest.mark.parametrize(("limit", "status"), [("sessions", 503), ("sessions_per_address", 429)])
def test_the_limits_on_sessions_count_bridges(limit, status):
    """Also those that are being connected; whoever goes makes room."""
    server = Server(limits={limit: 2})
    socket = server.open("/ws/local:1")
    server.ask("/ws/127.0.0.1:7")
    for path in ("/ws/local:1", "/stomp", "/tcp"):
        exchange = server.ask(path)
        assert exchange.status == status
        assert "Retry-After" in exchange.headers
    socket.connection.connectionLost()
    assert server.ask("/tcp").status == 200
    assert server.ask("/ws/local:1").status == status


# -- the reference --------------------------------------------------------------------------------


def test_the_reference_has_every_setting():
    """With its default, as orbited.cfg would write it."""
    page = (Path(__file__).parents[2] / "documentation/reference/websocket.md").read_text()
    for setting in fields(WebSocketSettings):
        default = int(setting.default) if isinstance(setting.default, bool) else setting.default
        cell = f" {default} " if default != "" else " "
        assert f"| `[websocket] {setting.name}` |{cell}|" in page


# -- the echo -------------------------------------------------------------------------------------


def test_the_echo():
    """Only when configured; text stays text, and a client that does not read is not read."""
    server = Server(websocket={"echo_enabled": 1})
    socket = server.open("/ws/echo")
    socket.send(b"\xff")
    socket.send(b"text", TEXT)
    assert socket.receive() == [Received(BINARY, b"\xff"), Received(TEXT, b"text")]
    socket.transport.producer.pauseProducing()
    assert socket.transport.producerState == "paused"
    socket.transport.producer.resumeProducing()
    assert socket.transport.producerState == "producing"
    foreign = server.ask("/ws/echo", headers={"origin": "https://evil.example"})
    assert foreign.status == 403
