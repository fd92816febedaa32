"""One session in the server, between a protocol above and transports below."""

from typing import Any, ClassVar

import pytest
from twisted.internet.error import ConnectionDone, ConnectionLost
from twisted.internet.protocol import Protocol

from orbited.protocol.packets import ACK, CLOSE, DATA, PING, Packet

BEGIN = b"11,113,opt014,pingTimeout,3011,213,opt015,pingInterval,3011,204,open"


class Producer:
    """Something that can be paused."""

    def __init__(self):
        self.calls = []

    def pauseProducing(self):
        self.calls.append("pause")

    def resumeProducing(self):
        self.calls.append("resume")

    def stopProducing(self):
        self.calls.append("stop")


@pytest.fixture
def key(comet):
    """A session whose page has sent something."""
    key = comet.create()
    comet.open(key, "poll")
    comet.post(key, Packet(1, DATA, b"hello"))
    comet.turn()
    return key


def test_data_goes_up_to_the_protocol(comet, key):
    """The bytes of each data packet are given as they came."""
    comet.post(key, Packet(2, DATA, b"a"), Packet(3, DATA, b"b"))
    assert comet.protocols[0].received == [b"hello", b"a", b"b"]


def test_writes_of_one_turn_leave_together(comet, key):
    """What is written before the reactor's turn ends is one packet in one write."""
    stream = comet.open(key, ack=2)
    before = len(stream.written)
    session = comet.session(key)
    session.write(b"one ")
    session.writeSequence([b"two ", b"three"])
    assert len(stream.written) == before
    comet.turn()
    assert stream.written[before:] == [b"11,314,data020,b25lIHR3byB0aHJlZQ=="]


def test_what_is_written_alone_stays_alone(comet, key):
    """The answer to a handshake is not merged with what follows in the same turn."""
    session = comet.session(key)
    session.write_alone(b"1")
    session.write(b"data")
    comet.turn()
    assert comet.open(key, "longpoll", ack=2).content == b"11,314,data04,MQ==11,414,data08,ZGF0YQ=="


def test_a_vanished_browser_is_noticed_and_the_session_kept(comet, key):
    """The transport is let go; what was on its way goes again on the next."""
    stream = comet.open(key, ack=2)
    stream.lose()
    session = comet.session(key)
    assert session.transport_name is None
    session.write(b"x")
    comet.turn()
    assert comet.open(key, "longpoll", ack=2).content == b"11,314,data04,eA=="
    assert comet.open(key, "poll", ack=2).content == b"11,314,data04,eA=="


def test_a_second_transport_ends_the_first(comet, key):
    """The older response ends properly, and the new one carries everything from there on."""
    first = comet.open(key, ack=2)
    second = comet.open(key, ack=2)
    assert first.is_finished
    first.lose()
    comet.session(key).write(b"x")
    comet.turn()
    assert second.content.endswith(b"11,314,data04,eA==")


@pytest.mark.parametrize("name", ["xhrstream", "sse", "longpoll"])
def test_a_stream_that_brought_nothing_is_followed_by_a_short_one(comet, key, name):
    """It ends behind one small burst; the next, which acknowledges that, carries all the rest."""
    comet.open(key, name, ack=2)
    session = comet.session(key)
    for _ in range(20):
        session.write(b"x" * 16_384)
    comet.turn()
    comet.open(key, name, ack=2).lose()
    short = comet.open(key, name, ack=2)
    assert short.is_finished
    assert 16_384 < len(short.content) < 32_768
    before = session.core.outbox.unacked_bytes
    rest = comet.open(key, name, ack=3)
    assert session.core.outbox.unacked_bytes < before
    assert rest.is_finished is (name == "longpoll")
    if name != "longpoll":
        assert rest.content.count(b"eHh4") >= 19


def test_a_long_poll_is_held_and_then_ends_empty(comet, key):
    """After its time an empty 200 lets the browser ask again; nothing is left behind."""
    poll = comet.open(key, "longpoll", ack=2)
    comet.clock.advance(29.9)
    assert poll.status is None
    comet.clock.advance(0.2)
    assert (poll.status, poll.content, poll.is_finished) == (200, b"", True)


def test_a_poll_is_answered_at_once(comet, key):
    """Empty or not."""
    poll = comet.open(key, "poll", ack=2)
    comet.turn()
    assert (poll.status, poll.content) == (200, b"")


def test_a_session_that_fails_when_something_falls_due_is_dropped(comet, key, monkeypatch, caplog):
    """The log has it, the others go on, and nothing is kept."""
    other = comet.create()
    session = comet.session(key)

    def fail(now: float) -> None:
        raise ValueError("inside")

    comet.open(other)
    monkeypatch.setattr(type(session.core), "tick", lambda core, now: fail(now))
    session.tick()
    monkeypatch.undo()
    comet.turn()
    assert set(comet.tcp.connections) == {other}
    assert "failed and is dropped" in caplog.text


def test_one_timer_per_session(comet, key):
    """However many requests came and went, one delayed call is waiting."""
    for _ in range(5):
        comet.open(key, "longpoll", ack=2)
        comet.post(key, Packet(9, PING))
    comet.turn()
    assert len(comet.clock.getDelayedCalls()) == 1


def test_a_silent_browser_is_pinged_and_given_up(make_comet):
    """The protocol above loses its connection; the reason waits for the browser."""
    comet = make_comet({"session": {"ping_interval": 10, "ping_timeout": 5}})
    key = comet.create()
    stream = comet.open(key)
    comet.clock.advance(10)
    assert stream.content.endswith(b"11,304,ping")
    comet.clock.advance(5)
    assert comet.protocols[0].lost.check(ConnectionLost)
    assert stream.content.endswith(b"11,415,close07,timeout")
    assert stream.is_finished
    assert comet.open(key, "longpoll").content.endswith(b"close07,timeout")
    comet.clock.advance(60)
    assert not comet.tcp.connections
    assert not comet.clock.getDelayedCalls()


def test_the_protocol_may_close(comet, key):
    """What it wrote before arrives, then the close packet; the key lives until that is acked."""
    session = comet.session(key)
    session.write(b"bye")
    session.loseConnection()
    session.write(b"too late")
    comet.turn()
    assert comet.protocols[0].lost.check(ConnectionDone)
    poll = comet.open(key, "longpoll", ack=2)
    assert poll.content == b"11,314,data04,Ynll11,415,close014,loseConnection"
    assert comet.open(key, "longpoll", ack=4).status == 404
    assert key not in comet.tcp.connections


def test_data_for_a_closing_session_is_not_claimed_as_accepted(comet, key):
    """The page may repeat it until it reads that the session is closing; its protocol is gone."""
    comet.session(key).close("goingAway")
    comet.turn()
    late = comet.post(key, Packet(2, DATA, b"late"))
    assert (late.status, late.headers["Retry-After"]) == (503, "5")
    assert comet.open(key, "longpoll", ack=2).content.endswith(b"close09,goingAway")
    late = comet.post(key, Packet(2, DATA, b"late"), Packet(3, CLOSE))
    assert late.status == 404
    assert key not in comet.tcp.connections
    assert comet.protocols[0].received == [b"hello"]


def test_the_protocol_may_abort(comet, key):
    """Nothing more is sent, and the key is gone."""
    stream = comet.open(key, ack=2)
    comet.session(key).abortConnection()
    comet.turn()
    assert stream.is_finished
    assert key not in comet.tcp.connections


def test_the_browser_may_close(comet, key):
    """The protocol hears it, the stream ends, the key is gone."""
    stream = comet.open(key, ack=2)
    assert comet.post(key, Packet(2, CLOSE)).content == b"OK"
    comet.turn()
    assert comet.protocols[0].lost.check(ConnectionDone)
    assert stream.is_finished
    assert comet.open(key).status == 404


def test_a_failing_protocol_ends_its_session_only(make_comet):
    """The POST is answered, the browser is told, the error is logged."""

    class Failing(Protocol):
        def dataReceived(self, data):
            raise RuntimeError("a mistake in the application")

    comet = make_comet(protocol=Failing)
    key = comet.create()
    comet.open(key, "poll")
    assert comet.post(key, Packet(1, DATA, b"x")).content == b"OK"
    comet.turn()
    assert comet.open(key, "longpoll").content.endswith(b"close014,loseConnection")


class Writes(Protocol):
    """Writes to these sessions what it gets."""

    to: ClassVar[list[Any]] = []

    def dataReceived(self, data):
        for session in self.to:
            session.write(data)


def test_what_a_post_causes_for_one_session_leaves_with_it(make_comet):
    """And what goes to more of them waits for the end of the turn: the next POST may add to it."""
    comet = make_comet({}, Writes)
    keys = [comet.create(), comet.create()]
    streams = [comet.open(key) for key in keys]
    comet.turn()
    before = [stream.content for stream in streams]
    Writes.to = [comet.session(keys[1])]
    comet.post(keys[0], Packet(1, DATA, b"x"))
    assert streams[1].content == before[1] + b"11,314,data04,eA=="
    Writes.to = [comet.session(key) for key in keys]
    comet.post(keys[0], Packet(2, DATA, b"y"))
    comet.post(keys[0], Packet(3, DATA, b"z"))
    assert streams[0].content == before[0]
    comet.turn()
    assert streams[0].content == before[0] + b"11,314,data04,eXo="
    assert streams[1].content == before[1] + b"11,314,data04,eA==11,414,data04,eXo="


def test_a_request_within_another_one_loses_nothing(make_comet):
    """Who is let go on may ask at once, before the request that did it has been applied."""
    waiting = []

    class LetsGo(Writes):
        def dataReceived(self, data):
            super().dataReceived(data)
            if waiting:
                waiting.pop()()

    comet = make_comet({}, LetsGo)
    keys = [comet.create(), comet.create()]
    streams = [comet.open(key) for key in keys]
    comet.turn()
    before = streams[1].content
    Writes.to = [comet.session(keys[1])]
    waiting.append(lambda: comet.post(keys[1], Packet(1, DATA, b"y")))
    comet.post(keys[0], Packet(1, DATA, b"x"))
    comet.post(keys[0], Packet(2, DATA, b"z"))
    comet.turn()
    assert streams[1].content == before + b"11,314,data04,eHk=11,414,data04,eg=="


def test_a_failing_flush_ends_its_session_only(comet, key, monkeypatch):
    """Other sessions of the same turn are flushed all the same."""
    other = comet.create()
    comet.open(key)
    stream = comet.open(other)
    broken, session = comet.session(key), comet.session(other)
    broken.write(b"x")
    session.write(b"y")
    monkeypatch.setattr(type(broken.core), "payload_to_send", fail_once(type(broken.core)))
    comet.turn()
    comet.turn()
    assert stream.content.endswith(b"11,314,data04,eQ==")
    assert key not in comet.tcp.connections


def test_an_answer_that_fails_ends_its_session_only(make_comet, monkeypatch):
    """Whoever has asked for it is answered, and goes on."""
    comet = make_comet({}, Writes)
    keys = [comet.create(), comet.create()]
    streams = [comet.open(key) for key in keys]
    comet.turn()
    asking, broken = [comet.session(key) for key in keys]
    Writes.to = [broken]
    monkeypatch.setattr(type(broken.core), "payload_to_send", fail_once(type(broken.core)))
    assert comet.post(keys[0], Packet(1, DATA, b"x")).content == b"OK"
    comet.turn()
    assert list(comet.tcp.connections) == keys[:1]
    Writes.to = [asking]
    comet.post(keys[0], Packet(2, DATA, b"y"))
    assert streams[0].content.endswith(b"14,data04,eQ==")


def fail_once(core):
    """A method that raises the first time."""
    original, calls = core.payload_to_send, []

    def payload_to_send(self):
        calls.append(self)
        if len(calls) == 1:
            raise RuntimeError("a mistake in the core")
        return original(self)

    return payload_to_send


# -- a slow browser -----------------------------------------------------------------------------


def test_a_slow_browser_pauses_the_back_end(make_comet):
    """So many bytes waiting pause the producer; half of that lets it go on."""
    comet = make_comet({"session": {"pause_bytes": 1000}})
    key = comet.create()
    session, producer = comet.session(key), Producer()
    session.registerProducer(producer, True)
    session.write(b"x" * 999)
    assert producer.calls == []
    session.write(b"x")
    assert producer.calls == ["pause"]
    comet.open(key, "poll")
    comet.turn()
    assert producer.calls == ["pause", "resume"]
    session.unregisterProducer()
    session.write(b"x" * 2000)
    assert producer.calls == ["pause", "resume"]
    with pytest.raises(ValueError, match="push producers"):
        session.registerProducer(producer, False)


def test_a_full_socket_holds_everything_back(comet, key):
    """While the transport is paused nothing is written; then all that waited leaves at once."""
    stream = comet.open(key, ack=2)
    stream.producer.pauseProducing()
    before = len(stream.written)
    comet.session(key).write(b"a")
    comet.turn()
    comet.clock.advance(6)
    comet.session(key).write(b"b")
    comet.turn()
    assert len(stream.written) == before
    stream.producer.resumeProducing()
    assert stream.written[before:] == [b"11,314,data04,YWI="]


def test_a_browser_that_is_far_too_slow_is_closed(make_comet):
    """A back end that does not pause cannot make memory grow: the browser is told and let go."""
    comet = make_comet({"session": {"queued_bytes": 5000}})
    key = comet.create()
    session = comet.session(key)
    for _ in range(100):
        session.write(b"x" * 1000)
    assert session.core.outbox.queued_bytes == 0
    comet.turn()
    assert comet.protocols[0].lost is not None
    assert comet.open(key, "poll").content.endswith(b"close012,slowConsumer")


# -- a slow back end ----------------------------------------------------------------------------


def test_a_slow_back_end_holds_the_answer_to_a_post(comet, key):
    """The browser sends one POST at a time, so it waits; what it sent has been taken."""
    session = comet.session(key)
    session.pauseProducing()
    held = comet.post(key, Packet(2, DATA, b"x" * 600))
    assert held.status is None
    assert comet.protocols[0].received[-1] == b"x" * 600
    refused = comet.post(key, Packet(3, DATA, b"y" * 600))
    assert (refused.status, refused.headers["Retry-After"]) == (503, "5")
    assert comet.post(key, Packet(3, PING)).status is None
    session.resumeProducing()
    assert held.content == b"OK"
    assert comet.post(key, Packet(4, DATA, b"y" * 600)).content == b"OK"
    assert comet.protocols[0].received[-1] == b"y" * 600


def test_an_answer_is_not_held_for_ever(make_comet):
    """After the configured time the browser gets its answer all the same."""
    comet = make_comet({"limits": {"post_hold_seconds": 2}})
    key = comet.create()
    comet.session(key).pauseProducing()
    held = comet.post(key, Packet(1, DATA, b"x" * 600))
    comet.clock.advance(1.9)
    assert held.status is None
    comet.clock.advance(0.2)
    assert held.content == b"OK"
    assert comet.post(key, Packet(2, DATA, b"x" * 600)).status == 503


def test_a_held_answer_is_given_when_the_session_closes(comet, key):
    """Nobody is left waiting for a back end that is gone."""
    session = comet.session(key)
    session.pauseProducing()
    held = comet.post(key, Packet(2, DATA, b"x"))
    session.stopProducing()
    comet.turn()
    assert held.content == b"OK"


# -- malformed and repeated ---------------------------------------------------------------------


def test_a_malformed_body_is_refused(comet, key):
    """400 with a sentence, nothing applied, the session lives."""
    exchange = comet.ask("POST", key, body=b"11,214,data04,QUJDgarbage")
    assert exchange.status == 400
    assert exchange.content.startswith(b"This is not a list of packets")
    assert comet.post(key, Packet(2, DATA, b"ABC")).content == b"OK"
    assert comet.protocols[0].received == [b"hello", b"ABC"]


def test_an_ack_that_is_no_number_is_ignored(comet, key):
    """Nothing is acknowledged, nothing fails."""
    comet.session(key).write(b"x")
    comet.turn()
    for ack in ("x", "-1", "1" * 30, ""):
        exchange = comet.ask("GET", f"{key}/poll", query={"ack": ack})
        assert exchange.content.endswith(b"11,314,data04,eA==")


def test_an_ack_in_a_packet_is_taken(comet, key):
    """A client that falls back from a WebSocket may have one left to send."""
    comet.session(key).write(b"x")
    comet.open(key, "poll", ack=2)
    comet.post(key, Packet(0, ACK, b"3"))
    assert comet.session(key).core.outbox.unacked_bytes == 0


def test_the_key_is_in_no_representation(comet, key):
    """What logs show of a session does not let anybody use it."""
    assert key not in repr(comet.session(key))


def test_addresses_are_those_of_the_browser(comet, key):
    """A protocol can ask who it talks to."""
    session = comet.session(key)
    assert session.getPeer().host == "192.0.2.1"
    assert session.getHost().host == "orbited.example"
