"""StompClientFactory: the original names and hooks, and the new verbs."""

from __future__ import annotations

import json
import logging

import pytest
from twisted.internet.testing import MemoryReactorClock, StringTransport

from stompservice import StompClientFactory
from stompservice.errors import BrokerError, ConnectionFailedError
from stompservice.protocol.session import State


class Recorder(StompClientFactory):
    """Keeps what its hooks are given."""

    username = "guest"
    password = "secret"

    def __init__(self) -> None:
        self.heard: list[dict] = []

    def recv_connected(self, msg):
        self.heard.append(msg)

    recv_message = recv_receipt = recv_error = recv_connected


@pytest.fixture
def factory(clock) -> Recorder:
    """A factory with a fake clock."""
    factory = Recorder()
    factory.clock = clock
    return factory


@pytest.fixture
def broker(factory, broker_end):
    """The broker's end, CONNECT not answered."""
    return broker_end(factory.buildProtocol(None))


@pytest.fixture
def connected(broker):
    """The broker's end, CONNECT answered."""
    broker.accept()
    return broker


def test_connects_at_once(broker):
    """CONNECT is the first thing on the wire."""
    assert broker.raw() == (
        b"CONNECT\naccept-version:1.0,1.1,1.2\nhost:/\nlogin:guest\npasscode:secret\n"
        b"heart-beat:10000,10000\n\n\0\n"
    )


def test_hooks(factory, connected):
    """Each frame calls recv_ and its command, with cmd, headers and a str body."""
    connected.say("MESSAGE", "héllo".encode(), destination="/a", message_id="1")
    connected.say("RECEIPT", receipt_id="r")
    connected.say("ERROR", b"why", message="no")
    assert factory.heard == [
        {"cmd": "CONNECTED", "headers": {"version": "1.2"}, "body": ""},
        {
            "cmd": "MESSAGE",
            "headers": {"destination": "/a", "message-id": "1", "content-length": "6"},
            "body": "héllo",
        },
        {"cmd": "RECEIPT", "headers": {"receipt-id": "r"}, "body": ""},
        {"cmd": "ERROR", "headers": {"message": "no", "content-length": "3"}, "body": "why"},
    ]


def test_hooks_are_optional(clock, broker_end, caplog):
    """A factory without hooks hears nothing and complains about nothing."""
    plain = StompClientFactory()
    plain.clock = clock
    broker_end(plain.buildProtocol(None)).accept()
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]


def test_message_received_may_be_overridden(factory, connected):
    """messageReceived is the dispatcher itself."""
    heard = []
    factory.messageReceived = heard.append
    connected.say("MESSAGE", subscription="1")
    assert [msg["cmd"] for msg in heard] == ["MESSAGE"]


def test_a_hook_that_raises(factory, connected, caplog):
    """A program's mistake is logged, and costs neither connection nor later messages."""
    factory.recv_message = lambda msg: msg["nothing"]
    connected.say("MESSAGE", subscription="1")
    assert "recv_message failed" in caplog.text
    factory.recv_message = factory.heard.append
    connected.say("MESSAGE", subscription="1")
    assert factory.heard[-1]["cmd"] == "MESSAGE"


def test_send_and_subscribe_with_keyword_headers(factory, connected):
    """Keywords become headers; ack is auto unless given."""
    factory.subscribe("/a", **{"x-y": 1})
    factory.subscribe("/b", ack="client")
    assert factory.send("/a", "hi", **{"content-type": "text/plain"}) is None
    first, second, third = connected.seen()
    assert first.headers == {"destination": "/a", "id": "sub-1", "ack": "auto", "x-y": "1"}
    assert second.headers["ack"] == "client"
    assert third.headers == {
        "destination": "/a",
        "content-type": "text/plain",
        "content-length": "2",
    }


def test_all_verbs(factory, connected):
    """unsubscribe, ack, nack, begin, commit and abort reach the broker."""
    message = {"cmd": "MESSAGE", "headers": {"ack": "a1", "message-id": "1"}, "body": ""}
    subscription = factory.subscribe("/a")
    factory.begin("t")
    factory.ack(message, transaction="t")
    factory.nack(message)
    factory.commit("t")
    factory.abort("u")
    factory.unsubscribe(subscription)
    frames = [(frame.command, frame.headers) for frame in connected.seen()[1:]]
    assert frames == [
        ("BEGIN", {"transaction": "t"}),
        ("ACK", {"id": "a1", "transaction": "t"}),
        ("NACK", {"id": "a1"}),
        ("COMMIT", {"transaction": "t"}),
        ("ABORT", {"transaction": "u"}),
        ("UNSUBSCRIBE", {"id": subscription, "destination": "/a"}),
    ]


def test_receipts(factory, connected):
    """With a receipt a verb returns a Deferred of the RECEIPT frame."""
    fired = []
    factory.send("/a", "hi", receipt=True).addCallback(fired.append)
    factory.begin("t", receipt="mine").addCallback(fired.append)
    first, second = connected.seen()
    assert second.headers["receipt"] == "mine"
    connected.say("RECEIPT", receipt_id="mine")
    connected.say("RECEIPT", receipt_id=first.headers["receipt"])
    assert [frame.headers["receipt-id"] for frame in fired] == ["mine", first.headers["receipt"]]


def test_receipts_of_a_broken_connection(factory, connected):
    """A receipt that cannot come any more fails."""
    failures = []
    factory.send("/a", "hi", receipt=True).addErrback(failures.append)
    connected.lose()
    assert failures[0].check(ConnectionFailedError)


def test_receipts_of_a_refused_frame(factory, connected):
    """An ERROR fails the receipt that it names, and all others with the connection."""
    failures = []
    factory.send("/a", "hi", receipt="r1").addErrback(failures.append)
    factory.send("/a", "hi", receipt="r2").addErrback(failures.append)
    connected.say("ERROR", b"", message="not allowed", receipt_id="r2")
    assert [failure.check(BrokerError) for failure in failures] == [BrokerError, BrokerError]
    assert str(failures[0].value) == "not allowed"
    assert connected.is_closing()


def test_sent_before_connected(factory, broker):
    """What is sent between TCP and CONNECTED is written after CONNECTED."""
    factory.subscribe("/a")
    factory.send("/a", "hi")
    assert [frame.command for frame in broker.seen()] == ["CONNECT"]
    broker.say("CONNECTED", version="1.2")
    assert [frame.command for frame in broker.seen()] == ["SUBSCRIBE", "SEND"]


def test_without_a_connection(factory, caplog):
    """As ever, what is sent to nobody is lost; who asked for a receipt hears of it."""
    failures = []
    assert factory.send("/a", "hi") is None
    assert factory.subscribe("/a") is None
    factory.send("/a", "hi", receipt=True).addErrback(failures.append)
    assert "no connection: dropped send" in caplog.text
    assert failures[0].check(ConnectionFailedError)


def test_old_broker(factory, broker):
    """MorbidQ 0.8 says neither version nor heart-beat: we speak 1.0 and do not beat."""
    broker.raw()
    broker.protocol.dataReceived(b"CONNECTED\nsession:1\n\n\0\n")
    assert broker.protocol.session.version == "1.0"
    factory.clock.advance(3_600)
    assert broker.raw() == b""
    broker.protocol.dataReceived(b"ERROR\nmessage:READ error\n\nNot authorized\0\n")
    assert factory.heard[-1]["body"] == "Not authorized"
    assert not broker.is_closing()
    factory.send("/a", "k:\n")
    assert broker.raw() == b"SEND\ndestination:/a\ncontent-length:3\n\nk:\n\0\n"


def test_disconnect(factory, connected):
    """disconnect() says DISCONNECT, waits for the receipt, and does not come back."""
    over = factory.disconnect()
    connected.answer_receipts()
    assert connected.is_closing()
    assert not over.called
    connected.lose()
    assert over.called
    assert not factory.continueTrying


def test_disconnect_without_a_connection(factory):
    """disconnect() before any connection is done at once."""
    assert factory.disconnect().called


# Reconnection, with Twisted's own connector


def connection(reactor: MemoryReactorClock, factory: StompClientFactory) -> StringTransport:
    """Let the last connection that was asked for come about."""
    factory.clock = reactor
    transport = StringTransport()
    transport.abortConnection = lambda: None
    connector = reactor.connectors[-1]
    factory.doStart()
    factory.buildProtocol(connector.getDestination()).makeConnection(transport)
    return transport


def test_reconnects(factory):
    """A lost connection is made anew, and recv_connected is called again."""
    reactor = MemoryReactorClock()
    reactor.connectTCP("127.0.0.1", 61613, factory)
    connection(reactor, factory)
    first = factory.proto
    first.dataReceived(b"CONNECTED\nversion:1.2\n\n\0")
    attempts = []
    reactor.connectors[-1].connect = lambda: attempts.append(1)
    first.connectionLost(None)
    factory.clientConnectionLost(reactor.connectors[-1], failure())
    assert attempts == []
    reactor.advance(5)
    assert attempts == [1]
    connection(reactor, factory)
    factory.proto.dataReceived(b"CONNECTED\nversion:1.2\n\n\0")
    assert [msg["cmd"] for msg in factory.heard] == ["CONNECTED", "CONNECTED"]
    assert factory.proto is not first


def test_pauses_grow_until_connected(factory):
    """Failures make the pause longer; CONNECTED, not TCP, makes it short again."""
    reactor = MemoryReactorClock()
    reactor.connectTCP("127.0.0.1", 61613, factory)
    connector = reactor.connectors[-1]
    connector.connect = lambda: None
    factory.clock = reactor
    for _ in range(3):
        factory.clientConnectionFailed(connector, failure())
        reactor.advance(1_000)
    assert factory.delay > 5
    connection(reactor, factory)
    assert factory.delay > 5
    factory.proto.dataReceived(b"CONNECTED\nversion:1.2\n\n\0")
    assert factory.delay == factory.initialDelay


def test_does_not_reconnect_after_disconnect(factory):
    """Who disconnected stays away, until somebody connects the factory again."""
    reactor = MemoryReactorClock()
    reactor.connectTCP("127.0.0.1", 61613, factory)
    connection(reactor, factory)
    attempts = []
    reactor.connectors[-1].connect = lambda: attempts.append(1)
    factory.disconnect()
    factory.proto.connectionLost(None)
    factory.clientConnectionLost(reactor.connectors[-1], failure())
    reactor.advance(1_000)
    assert attempts == []
    factory.doStop()
    factory.doStart()
    assert factory.continueTrying


def failure():
    """The reason of a connection that broke."""
    from twisted.internet.error import ConnectionLost
    from twisted.python.failure import Failure

    return Failure(ConnectionLost())


# A program of 2008, in Python 3


class TraitsWeb(StompClientFactory):
    """Like the program of the original's documentation: state changes in and out."""

    def __init__(self):
        self.handlers = {"7": {}}

    def recv_connected(self, msg):
        self.subscribe("/topic/in")
        self.subscribe("/topic/control")

    def recv_message(self, msg):
        message = json.loads(msg["body"])
        if msg["headers"]["destination"] == "/topic/in":
            self.handlers[message["id"]][message["trait"]] = message["value"]
        elif msg["headers"]["destination"] == "/topic/control":
            self.handlers[message["id"]] = {}

    def send_data(self, data):
        if hasattr(self, "send"):
            data["type"] = "trait_change"
            self.send("/topic/out", json.dumps(data))


def test_a_program_of_2008(clock, broker_end):
    """It subscribes, hears, and sends as it always did, also before it is connected."""
    program = TraitsWeb()
    program.clock = clock
    program.send_data({"trait": "early", "value": 1})
    broker = broker_end(program.buildProtocol(None))
    broker.accept()
    assert [frame.headers["destination"] for frame in broker.seen()] == [
        "/topic/in",
        "/topic/control",
    ]
    broker.say("MESSAGE", b'{"id": "8"}', destination="/topic/control")
    broker.say("MESSAGE", b'{"id": "8", "trait": "name", "value": "x"}', destination="/topic/in")
    assert program.handlers["8"] == {"name": "x"}
    program.send_data({"trait": "rating", "value": 5})
    (frame,) = broker.seen()
    assert frame.headers["destination"] == "/topic/out"
    assert json.loads(frame.body) == {"trait": "rating", "value": 5, "type": "trait_change"}
    assert broker.protocol.session.state is State.CONNECTED
