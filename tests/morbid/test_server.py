"""The Twisted shell, on transports and clocks of the tests."""

from __future__ import annotations

import pytest
from twisted.internet.address import IPv4Address
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport

from morbid import get_stomp_factory
from morbid.broker import Broker
from morbid.limits import Limits
from morbid.mqsecurity import Identity, Security
from morbid.policy import Policy
from morbid.server import StompFactory
from stompservice.protocol import Frame, FrameParser, encode

REMOTE = IPv4Address("TCP", "192.0.2.7", 5)


class Transport(StringTransport):
    """Remembers being cut off; what was written can be read as frames."""

    aborted = False

    def abortConnection(self):
        self.aborted = True
        super().abortConnection()

    def frames(self) -> list[Frame]:
        parser = FrameParser()
        parser.receive_data(self.value())
        self.clear()
        return list(parser.events_received())

    def commands(self) -> list[str]:
        return [frame.command for frame in self.frames()]


@pytest.fixture
def clock():
    """A clock that stands still."""
    return Clock()


@pytest.fixture
def factory(clock):
    """A factory with default limits that lets everybody in."""
    return get_stomp_factory(clock=clock)


def new_factory(clock, security=None, **limits):
    """Make a factory with these limits."""
    return StompFactory(Broker(Limits(**limits)), Policy(security or Security()), clock)


def connect(factory, login="guest", peer=None, pipelined=b""):
    """Open a connection and log in; returns the protocol and its transport."""
    protocol = factory.buildProtocol(peer)
    transport = Transport(peerAddress=peer)
    protocol.makeConnection(transport)
    if login is not None:
        headers = {"accept-version": "1.2", "host": "/", "login": login}
        protocol.dataReceived(encode(Frame("CONNECT", headers)) + pipelined)
    return protocol, transport


SUBSCRIBE = encode(Frame("SUBSCRIBE", {"id": "0", "destination": "/topic/a", "receipt": "r"}))
SEND = encode(Frame("SEND", {"destination": "/topic/a"}, b"hello"))


def lose(protocol):
    """Tell a protocol that its connection is gone."""
    from twisted.internet.error import ConnectionDone
    from twisted.python.failure import Failure

    protocol.connectionLost(Failure(ConnectionDone()))


def test_from_connect_to_message(factory):
    """A message goes from one connection to another."""
    _, reader = connect(factory, pipelined=SUBSCRIBE)
    sender, _ = connect(factory)
    sender.dataReceived(SEND)
    assert reader.commands() == ["CONNECTED", "RECEIPT", "MESSAGE"]
    assert factory.counters()["messages_out"] == 1
    assert factory.counters()["connections"] == 2


def test_same_bytes_for_equal_subscriptions(factory, monkeypatch):
    """Subscribers with one id and version are handed one and the same bytes object."""
    written = []
    for _ in range(3):
        protocol, _ = connect(factory, pipelined=SUBSCRIBE)
        protocol.session.write_to(written.append)
    sender, _ = connect(factory)
    sender.dataReceived(SEND)
    assert len(written) == 3
    assert written[0] is written[1] is written[2]


def test_error_closes_the_transport(clock):
    """After an ERROR the transport is closed, and cut off if the peer does not read it."""
    protocol, transport = connect(new_factory(clock, close_seconds=5))
    transport.clear()
    protocol.dataReceived(b"BOGUS\n\n\0")
    assert transport.commands() == ["ERROR"]
    assert transport.disconnecting
    assert transport.producer is None
    clock.advance(4.9)
    assert not transport.aborted
    clock.advance(0.2)
    assert transport.aborted


def test_no_timer_stays_behind(factory, clock):
    """A connection that is gone has no timer, in whatever state it was."""
    for pipelined in (b"", SUBSCRIBE, b"BOGUS\n\n\0", b"SEND\n"):
        protocol, _ = connect(factory, pipelined=pipelined)
        lose(protocol)
    protocol, _ = connect(factory, login=None)
    lose(protocol)
    assert clock.getDelayedCalls() == []
    assert factory.counters()["connections"] == 0


def test_login_timeout(factory, clock):
    """Who does not log in is told so, and closed."""
    _, transport = connect(factory, login=None)
    clock.advance(10)
    assert transport.frames()[0].headers["code"] == "login-timeout"
    assert transport.disconnecting


def test_one_timer_that_follows_the_deadlines(factory, clock):
    """Heart-beats and frame times share one timer, which is early rather than late."""
    protocol = factory.buildProtocol(None)
    transport = Transport()
    protocol.makeConnection(transport)
    headers = {"accept-version": "1.2", "host": "/", "heart-beat": "10000,10000"}
    protocol.dataReceived(encode(Frame("CONNECT", headers)))
    transport.clear()
    assert len(clock.getDelayedCalls()) == 1
    clock.pump([9.0])
    assert transport.value() == b"\n"
    protocol.dataReceived(b"SEND\n")
    assert len(clock.getDelayedCalls()) == 1
    clock.pump([9.0])
    protocol.dataReceived(b"a:b\n")
    assert transport.value() == b"\n\n"
    transport.clear()
    for _ in range(6):
        clock.pump([9.0])
        protocol.dataReceived(b"a:b\n")
    assert b"frame-timeout" in transport.value()


def test_full_transport_pauses_delivery(factory):
    """What comes while the transport is full is written when it is empty."""
    protocol, transport = connect(factory, pipelined=SUBSCRIBE)
    sender, _ = connect(factory)
    transport.clear()
    assert transport.producer is protocol
    transport.producer.pauseProducing()
    sender.dataReceived(SEND + SEND)
    assert transport.value() == b""
    transport.producer.resumeProducing()
    assert transport.commands() == ["MESSAGE", "MESSAGE"]


def test_slow_consumer_is_told_and_cut_off(clock):
    """A subscriber that stops reading is gone at its bound and does not slow the others."""
    factory = new_factory(clock, max_outgoing_bytes=10_000)
    protocol, stalled = connect(factory, pipelined=SUBSCRIBE)
    _, reader = connect(factory, pipelined=SUBSCRIBE)
    sender, _ = connect(factory)
    stalled.clear()
    reader.clear()
    protocol.pauseProducing()
    for _ in range(1_000):
        sender.dataReceived(SEND)
    assert reader.commands() == ["MESSAGE"] * 1_000
    assert [frame.headers.get("code") for frame in stalled.frames()] == ["slow-consumer"]
    assert stalled.disconnecting
    clock.advance(5)
    assert stalled.aborted
    assert factory.counters()["subscriptions"] == 1


def test_too_many_connections(clock):
    """One connection too many is told so; when one leaves there is room again."""
    factory = new_factory(clock, max_connections=1)
    first, _ = connect(factory)
    second, transport = connect(factory)
    assert transport.frames()[0].headers["code"] == "too-many-connections"
    assert transport.disconnecting
    lose(second)
    lose(first)
    _, transport = connect(factory)
    assert transport.commands() == ["CONNECTED"]


def test_too_many_from_one_address(clock):
    """Connections are counted by address, those of proxies on this machine are not."""
    factory = new_factory(clock, max_connections_per_address=2)
    loopback = IPv4Address("TCP", "127.0.0.1", 5)
    protocols = [connect(factory, peer=REMOTE)[0] for _ in range(2)]
    _, transport = connect(factory, peer=REMOTE)
    assert transport.frames()[0].headers["code"] == "too-many-connections-from-address"
    for peer in (loopback, IPv4Address("TCP", "192.0.2.8", 5), object()):
        assert connect(factory, peer=peer)[1].commands() == ["CONNECTED"]
    for _ in range(3):
        assert connect(factory, peer=loopback)[1].commands() == ["CONNECTED"]
    lose(protocols[0])
    assert connect(factory, peer=REMOTE)[1].commands() == ["CONNECTED"]


class Later:
    """An authenticator and authorizer that answers when the test wants it."""

    def __init__(self):
        self.asked = []
        self.answers = []
        self.canceled = []

    def authenticate(self, login, passcode, peer):
        return self._later("login", login)

    def authorize(self, identity, operation, destination, headers):
        return self._later(operation, destination)

    def _later(self, *question):
        self.asked.append(question)
        answer = Deferred(self.canceled.append)
        self.answers.append(answer)
        return answer


@pytest.fixture
def later():
    """Security that takes its time."""
    return Later()


def test_frames_wait_for_the_login(clock, later):
    """Frames that arrive while the login is pending are carried out after it, in order."""
    factory = new_factory(clock, Security(later))
    _, transport = connect(factory, pipelined=SUBSCRIBE + SEND)
    assert transport.value() == b""
    later.answers[0].callback(Identity("guest"))
    assert transport.commands() == ["CONNECTED", "RECEIPT", "MESSAGE"]


def test_frames_wait_for_each_authorization(clock, later):
    """No frame overtakes one whose authorization is pending."""
    factory = new_factory(clock, Security(later, later))
    _, transport = connect(factory, pipelined=SUBSCRIBE + SEND)
    later.answers[0].callback(Identity("guest"))
    for answer, question in enumerate([("create",), ("subscribe",), ("send",)], start=1):
        assert later.asked[-1] == (*question, "/topic/a")
        later.answers[answer].callback(True)
    assert len(later.asked) == 4
    assert transport.commands() == ["CONNECTED", "RECEIPT", "MESSAGE"]


def test_answers_that_are_there_at_once(clock):
    """Ten thousand frames with Deferreds that have fired do not pile up on the stack."""

    class AtOnce(Later):
        def _later(self, *question):
            answer = super()._later(*question)
            answer.callback(Identity("x") if question[0] == "login" else True)
            return answer

    factory = new_factory(clock, Security(AtOnce(), AtOnce()), max_pending_bytes=10_000_000)
    _, transport = connect(factory, pipelined=SUBSCRIBE + SEND * 10_000)
    assert len(transport.frames()) == 10_002


def test_failure_refuses_and_is_not_shown(clock, later, caplog):
    """A Deferred that fails refuses; the reason is in the log, not on the wire."""
    factory = new_factory(clock, Security(later))
    _, transport = connect(factory)
    later.answers[0].errback(RuntimeError("the database password is 1234"))
    assert b"1234" not in transport.value()
    assert transport.frames()[0].headers["code"] == "login-refused"
    assert "1234" in caplog.text


def test_raising_refuses_and_is_not_shown(clock, caplog):
    """An authenticator that raises refuses; the traceback is in the log."""

    class Broken:
        def authenticate(self, login, passcode, peer):
            raise RuntimeError("secret")

    _, transport = connect(new_factory(clock, Security(Broken())))
    assert b"secret" not in transport.value()
    assert transport.frames()[0].headers["code"] == "login-refused"
    assert "secret" in caplog.text


def test_mistake_of_ours(factory, caplog, monkeypatch):
    """An exception inside costs one connection an ERROR without details, and nobody else."""
    protocol, transport = connect(factory)
    transport.clear()

    def fail(*arguments):
        raise ZeroDivisionError("secret")

    monkeypatch.setattr(factory.broker, "publish", fail)
    protocol.dataReceived(SEND)
    assert b"secret" not in transport.value()
    assert transport.frames()[0].headers["code"] == "internal-error"
    assert transport.disconnecting
    assert "secret" in caplog.text
    assert connect(factory)[1].commands() == ["CONNECTED"]


def test_decision_timeout(clock, later):
    """Who is not decided about in time is refused, and the Deferred is canceled."""
    factory = new_factory(clock, Security(later), decision_seconds=7)
    _, transport = connect(factory)
    clock.advance(7)
    assert transport.frames()[0].headers["code"] == "decision-timeout"
    assert later.canceled == later.answers


def test_answer_for_a_connection_that_is_gone(clock, later, caplog):
    """A decision that comes too late changes nothing."""
    factory = new_factory(clock, Security(later))
    protocol, transport = connect(factory)
    lose(protocol)
    assert later.canceled == later.answers
    assert transport.value() == b""
    assert factory.counters()["logins"] == 0
    assert "ERROR" not in caplog.text


def test_too_much_pending(clock, later):
    """What may wait for a decision is bounded; reading stops well before."""
    factory = new_factory(clock, Security(later), max_pending_bytes=1_000)
    protocol, transport = connect(factory)
    protocol.dataReceived(b"\n" * 100 + SEND)
    assert transport.producerState == "producing"
    protocol.dataReceived(SEND * 12)
    assert transport.producerState == "paused"
    protocol.dataReceived(SEND * 20)
    assert transport.frames()[0].headers["code"] == "too-much-pending"
    assert transport.producerState == "producing"


def test_reading_goes_on_after_the_decision(clock, later):
    """A transport that was stopped because of a decision is read again."""
    factory = new_factory(clock, Security(later), max_pending_bytes=1_000)
    protocol, transport = connect(factory)
    protocol.dataReceived(SEND * 12)
    assert transport.producerState == "paused"
    later.answers[0].callback(Identity("guest"))
    assert transport.producerState == "producing"
    assert factory.counters()["messages_in"] == 12


def test_disconnect_by_login_and_session(clock):
    """The site ends the connections of a login, or those that carry a session claim."""

    class Doorkeeper:
        def authenticate(self, login, passcode, peer):
            return Identity(login, session=f"session of {login}")

    factory = new_factory(clock, Security(Doorkeeper()))
    transports = {name: connect(factory, name)[1] for name in ("ada", "bob", "cy")}
    assert factory.disconnect(login="ada") == 1
    assert factory.disconnect(session="session of bob") == 1
    assert factory.disconnect(login="dora", session="x") == 0
    for name in ("ada", "bob"):
        assert transports[name].frames()[-1].headers["code"] == "disconnected"
        assert transports[name].disconnecting
    assert not transports["cy"].disconnecting


def test_shutdown(factory):
    """A broker that goes down tells everybody, waits until they are gone, and admits nobody."""
    protocol, transport = connect(factory)
    stopped = []
    factory.shutdown().addCallback(stopped.append)
    assert transport.frames()[-1].headers["code"] == "shutting-down"
    assert stopped == []
    _, refused = connect(factory)
    assert refused.frames()[0].headers["code"] == "shutting-down"
    lose(protocol)
    factory.shutdown().addCallback(stopped.append)
    assert stopped == [None, None]


def test_counters(factory):
    """Everything that a site wants to watch is there, as numbers by name."""
    protocol, _ = connect(factory, pipelined=SUBSCRIBE + SEND)
    protocol.dataReceived(encode(Frame("SEND", {"destination": "/queue/a"}, b"waits")))
    protocol.dataReceived(encode(Frame("SEND", {"destination": "/nobody"}, b"lost")))
    counters = factory.counters()
    assert counters.pop("bytes_in") > counters["queue_bytes"] > 0
    assert counters.pop("bytes_out") > 0
    assert counters.pop("queue_bytes") > 0
    assert counters == {
        "connections": 1,
        "connections_total": 1,
        "logins": 1,
        "logins_refused": 0,
        "subscriptions": 1,
        "destinations": 2,
        "messages_in": 3,
        "messages_out": 1,
        "queue_depths": {"/queue/a": 1},
        "errors_sent": 0,
        "slow_consumers": 0,
        "dropped_unrouted": 1,
        "dropped_refused": 0,
        "dropped_full": 0,
    }


@pytest.mark.parametrize(
    ("data", "level"), [(b"DISCONNECT\n\n\0", "INFO"), (b"BOGUS\n\n\0", "WARNING")]
)
def test_log(factory, caplog, data, level):
    """Misbehavior is a warning, a farewell is not."""
    caplog.set_level("INFO")
    protocol, _ = connect(factory)
    protocol.dataReceived(data)
    assert [record.levelname for record in caplog.records][-1] == level
    assert "'guest' logged in" in caplog.text


def test_shutdown_of_an_idle_broker(factory):
    """A broker without connections is down at once."""
    stopped = []
    factory.shutdown().addCallback(stopped.append)
    assert stopped == [None]


def test_ten_thousand_that_vanish(clock):
    """Connections that open, subscribe and vanish leave nothing behind."""
    factory = new_factory(clock)
    protocols = []
    for number in range(10_000):
        where = {"id": "0", "destination": f"/topic/{number % 5_000}"}
        queue = {"id": "1", "destination": f"/queue/{number % 500}", "ack": "client"}
        protocols.append(
            connect(
                factory,
                peer=IPv4Address("TCP", f"192.0.2.{number % 200}", 1),
                pipelined=encode(Frame("SUBSCRIBE", where)) + encode(Frame("SUBSCRIBE", queue)),
            )[0]
        )
    assert factory.counters()["subscriptions"] == 20_000
    assert factory.counters()["destinations"] == 5_500
    for protocol in protocols:
        lose(protocol)
    counters = factory.counters()
    assert counters["connections"] == counters["subscriptions"] == counters["logins"] == 0
    assert counters["destinations"] == counters["queue_bytes"] == 0
    assert factory._from_address == {}
    assert clock.getDelayedCalls() == []


def test_answer_that_is_no_identity(clock, later, caplog):
    """An authenticator that returns something without a name has refused; the log says why."""
    _, transport = connect(new_factory(clock, Security(later)))
    later.answers[0].callback(True)
    assert transport.frames()[0].headers["code"] == "login-refused"
    assert "authenticate() returned True, which has no name" in caplog.text


def test_mistake_after_a_decision(clock, later, caplog):
    """An exception in what follows a decision costs that connection only, too."""
    factory = new_factory(clock, Security(later))
    _, transport = connect(factory)
    later.answers[0].callback(Identity("guest", expires_at="tomorrow"))
    assert transport.frames()[0].headers["code"] == "internal-error"
    assert "TypeError" in caplog.text
    assert factory.counters()["logins"] == 0


def test_silence_while_a_decision_is_awaited(clock, later):
    """Who is kept waiting by us is not blamed for silence; afterwards the time runs again."""
    factory = new_factory(clock, Security(authorizer=later))
    protocol = factory.buildProtocol(None)
    transport = Transport()
    protocol.makeConnection(transport)
    headers = {"accept-version": "1.2", "host": "/", "heart-beat": "10000,0"}
    protocol.dataReceived(encode(Frame("CONNECT", headers)) + SEND)
    transport.clear()
    clock.advance(25)
    later.answers[0].callback(True)
    assert transport.value() == b""
    clock.advance(20)
    assert transport.value() == b""
    later.answers[1].callback(True)
    clock.advance(19)
    assert transport.value() == b""
    clock.advance(1)
    assert transport.frames()[0].headers["code"] == "heart-beat-timeout"


def test_messages_lost_at_shutdown(factory, caplog):
    """What waits in queues is kept in memory only: losing it is said."""
    protocol, _ = connect(factory)
    protocol.dataReceived(encode(Frame("SEND", {"destination": "/queue/a"}, b"x")))
    factory.shutdown()
    assert "1 messages in queues are lost" in caplog.text


def test_advisories_are_not_lost_at_shutdown(clock, caplog):
    """What tells of this broker's own connections is over with them: nobody is warned."""
    policy = Policy(advisory_destination="/queue/advisories", site_logins=frozenset({"site"}))
    factory = StompFactory(Broker(), policy, clock)
    connect(factory)
    assert factory.broker.queue_depths() == {"/queue/advisories": 1}
    factory.shutdown()
    assert "lost" not in caplog.text
