"""The life of a session."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orbited.protocol.packets import (
    ACK,
    CLOSE,
    DATA,
    OPEN,
    OPT,
    PING,
    RAW,
    TEXT,
    Packet,
)
from orbited.protocol.session import (
    Carrier,
    Closed,
    CometSession,
    DataReceived,
    Ended,
    Malformed,
    Refused,
    State,
)
from orbited.protocol.settings import PacketLimits, SessionSettings

POLL = Carrier(is_atomic=True)
STREAM = Carrier(is_atomic=False)
SOCKET = Carrier(is_atomic=True, acknowledges=True)

SETTINGS = SessionSettings(ping_interval=30, ping_timeout=20)

OPTS = [Packet(1, OPT, b"pingTimeout,20"), Packet(2, OPT, b"pingInterval,30")]


def make(**settings: float) -> CometSession:
    """A session created at second 0."""
    values = {"ping_interval": 30, "ping_timeout": 20, **settings}
    return CometSession(SessionSettings(**values), PacketLimits(), 0.0)


def opened(carrier: Carrier = STREAM, **settings: float) -> CometSession:
    """A session whose page has read ``open`` and sent its first packet."""
    session = make(**settings)
    session.transport_opened(carrier, 0.0)
    session.data_to_send()
    session.acknowledge(2)
    up(session, Packet(1, DATA, b"localhost:1\n"))
    session.events_received()
    if carrier.acknowledges:
        session.tick(1.0)
        session.data_to_send()
    return session


def up(session: CometSession, *packets: Packet, now: float = 0.0) -> None:
    """The browser sends packets."""
    session.receive_data(RAW.encode(packets), now, raw=True)


def test_a_session_begins_with_options_and_open():
    """The first transport carries both options, then open under the id of the packet before."""
    session = make()
    session.transport_opened(POLL, 0.0)
    assert session.data_to_send() == [*OPTS, Packet(2, OPEN)]
    assert session.data_to_send() == []


def test_open_is_repeated_until_it_is_acknowledged():
    """A page that lost its first answer is not left waiting for ever."""
    session = make()
    for _ in range(3):
        session.transport_opened(POLL, 0.0)
        assert session.data_to_send() == [*OPTS, Packet(2, OPEN)]
    session.acknowledge(2)
    session.transport_opened(POLL, 0.0)
    assert session.data_to_send() == []


def test_on_a_stream_an_equal_ack_does_not_prove_open():
    """A stream may be cut between the last option and open, which share an id."""
    session = make()
    session.transport_opened(STREAM, 0.0)
    session.data_to_send()
    session.acknowledge(2)
    session.transport_opened(STREAM, 0.0)
    assert session.data_to_send() == [Packet(2, OPEN)]
    session.send(b"x")
    assert session.data_to_send() == [Packet(3, DATA, b"x")]
    session.acknowledge(3)
    session.transport_opened(STREAM, 0.0)
    assert session.data_to_send() == []


def test_open_acknowledges_nothing_that_is_still_to_come():
    """Pages acknowledge the last id they read, so open repeats that of the packet before it."""
    session = make()
    for _ in range(10):
        session.send_alone(b"x")
    session.transport_opened(POLL, 0.0)
    session.data_to_send()
    session.transport_opened(POLL, 0.0)
    assert [packet.id for packet in session.data_to_send(4)] == [1, 2, 3, 4, 4]


def test_any_packet_from_the_page_proves_open():
    """Only a page that has read open sends anything."""
    session = make()
    session.transport_opened(STREAM, 0.0)
    session.data_to_send()
    up(session, Packet(1, DATA, b"localhost:1\n"))
    session.transport_opened(STREAM, 0.0)
    assert session.data_to_send() == OPTS


def test_a_new_transport_repeats_what_was_not_acknowledged():
    """Old packets with their old ids, then what has been queued since."""
    session = opened()
    session.send(b"seen")
    session.send(b"")
    session.data_to_send()
    session.transport_lost()
    assert session.data_to_send() == []
    session.send(b"queued")
    session.acknowledge(2)
    session.transport_opened(STREAM, 1.0)
    assert session.data_to_send() == [Packet(3, DATA, b"seen"), Packet(4, DATA, b"queued")]
    session.acknowledge(3)
    session.transport_opened(STREAM, 1.0)
    assert session.data_to_send() == [Packet(4, DATA, b"queued")]


def test_repeated_packets_of_the_browser_are_dropped():
    """A POST whose answer was lost comes again; its packets count once."""
    session = opened()
    body = TEXT.encode([Packet(2, DATA, b"two"), Packet(3, DATA, b"three")])
    session.receive_data(body, 0.0)
    session.receive_data(body, 0.0)
    session.receive_data(TEXT.encode([Packet(3, DATA, b"three"), Packet(4, DATA, b"four")]), 0.0)
    assert session.events_received() == [
        DataReceived(b"two"),
        DataReceived(b"three"),
        DataReceived(b"four"),
    ]
    assert session.duplicates == 3


@pytest.mark.parametrize(
    "body",
    [
        b"11,214,data04,QUJD11,214,data0100,QQ==",
        b"11,214,data04,QUJD11,315,bogus01,x",
        b"11,214,data04,QUJD01,2",
        b"11,214,data04,QUJDgarbage",
        b"11,214,data04,QUJD11,314,data",
        b"11,214,data04,QUJD11,314,data03,!!!",
    ],
)
def test_a_body_is_applied_whole_or_not_at_all(body):
    """After a malformed body the same packets, well written, are accepted."""
    session = opened()
    session.receive_data(body, 0.0)
    assert [type(event) for event in session.events_received()] == [Malformed]
    up(session, Packet(2, DATA, b"ABC"))
    assert session.events_received() == [DataReceived(b"ABC")]


@settings(deadline=None)
@given(st.binary(max_size=200), st.booleans())
def test_garbage_from_the_browser_raises_nothing(body, raw):
    """Whatever comes up is an event or is ignored; the session stays usable."""
    session = opened()
    session.receive_data(body, 0.0, raw=raw)
    session.events_received()
    session.send(b"x")
    session.data_to_send()
    session.next_deadline()


def test_gaps_in_the_ids_are_accepted():
    """A close that overtakes a POST has a higher id than what is still on its way."""
    session = opened()
    up(session, Packet(7, DATA, b"late"))
    up(session, Packet(3, DATA, b"early"))
    assert session.events_received() == [DataReceived(b"late")]


# -- acknowledging the browser ----------------------------------------------------------------


def test_websocket_packets_are_acknowledged_with_the_next_write():
    """What goes down anyway carries the acknowledgement."""
    session = opened(SOCKET)
    up(session, Packet(2, DATA, b"a"), Packet(3, DATA, b"b"))
    assert session.data_to_send() == []
    session.send(b"x")
    assert session.data_to_send() == [Packet(3, DATA, b"x"), Packet(0, ACK, b"3")]
    session.send(b"y")
    assert session.data_to_send() == [Packet(4, DATA, b"y")]


def test_websocket_packets_are_acknowledged_after_a_second():
    """Without anything to send, the acknowledgement goes alone, a second later."""
    session = opened(SOCKET)
    up(session, Packet(2, DATA, b"a"), now=10.0)
    assert session.next_deadline() == 11.0
    session.tick(10.9)
    assert session.data_to_send() == []
    session.tick(11.0)
    assert session.data_to_send() == [Packet(0, ACK, b"2")]
    assert session.next_deadline() == 40.0


def test_websocket_packets_are_acknowledged_after_so_many():
    """Many small packets are confirmed before the second is over."""
    session = opened(SOCKET, acknowledge_packets=3)
    up(session, Packet(2, DATA, b"a"), Packet(3, DATA, b"b"))
    assert session.data_to_send() == []
    up(session, Packet(4, DATA, b"c"))
    assert session.data_to_send() == [Packet(0, ACK, b"4")]


def test_repeated_packets_are_acknowledged_again():
    """A page that repeats has lost the acknowledgement; it gets another."""
    session = opened(SOCKET)
    up(session, Packet(1, DATA, b"again"), now=5.0)
    session.tick(6.0)
    assert session.data_to_send() == [Packet(0, ACK, b"1")]


def test_a_new_websocket_says_at_once_what_was_accepted():
    """After a fall-back and back the page knows what it need not repeat."""
    session = opened(STREAM)
    session.transport_opened(SOCKET, 1.0)
    assert session.data_to_send()[-1] == Packet(0, ACK, b"1")


def test_other_transports_carry_no_acknowledgements():
    """A page of 2010 would not know what to do with them."""
    session = opened(STREAM)
    session.tick(5.0)
    session.send(b"x")
    assert session.data_to_send() == [Packet(3, DATA, b"x")]


def test_a_websocket_client_acknowledges_in_a_packet():
    """The unnumbered ack packet confirms what was sent, and is no data."""
    session = opened(SOCKET)
    session.send(b"x")
    session.data_to_send()
    up(session, Packet(0, ACK, b"3"))
    assert session.outbox.unacked_bytes == 0
    assert session.events_received() == []


# -- windows ----------------------------------------------------------------------------------


def test_half_a_window_of_unacknowledged_bytes_is_asked_about():
    """A streaming page acknowledges only when it POSTs, so it is pinged, once."""
    session = opened(unacknowledged_bytes=10_000)
    session.send(b"x" * 6000)
    assert [packet.name for packet in session.data_to_send()] == [DATA, PING]
    session.send(b"x" * 6000)
    assert [packet.name for packet in session.data_to_send()] == [DATA]
    session.send(b"held back")
    assert session.data_to_send() == []
    session.acknowledge(5)
    assert [packet.data for packet in session.data_to_send()] == [b"held back"]


def test_a_browser_that_is_too_slow_is_closed():
    """Beyond the bound the caller closes; what had no number is dropped, the reason is told."""
    session = opened(queued_bytes=2000)
    assert session.send(b"x" * 2000)
    assert not session.send(b"x")
    session.close("slowConsumer", 0.0, discard=True)
    assert session.data_to_send() == [Packet(3, CLOSE, b"slowConsumer")]
    assert session.outbox.queued_bytes == 0


def test_the_back_end_is_paused_before_that():
    """So much waiting pauses it, half of that lets it go on."""
    session = opened(pause_bytes=1000)
    session.send(b"x" * 999)
    assert not session.is_paused
    session.send(b"x" * 501)
    assert session.is_paused
    assert not session.is_relaxed
    session.data_to_send()
    assert session.is_relaxed


# -- pings and time-outs ----------------------------------------------------------------------


def test_silence_is_answered_with_a_ping():
    """A ping is a packet with an id, sent once, and then there is time to answer."""
    session = opened()
    assert session.next_deadline() == 30.0
    session.tick(29.9)
    assert session.data_to_send() == []
    session.tick(30.0)
    assert session.data_to_send() == [Packet(3, PING)]
    assert session.next_deadline() == 50.0
    session.tick(40.0)
    assert session.data_to_send() == []


@pytest.mark.parametrize("sign", ["post", "transport"])
def test_a_sign_of_life_puts_everything_off(sign):
    """A POST or a new transport counts as an answer."""
    session = opened()
    session.tick(30.0)
    session.data_to_send()
    if sign == "post":
        up(session, Packet(2, PING), now=45.0)
    else:
        session.acknowledge(3)
        session.transport_opened(POLL, 45.0)
    assert session.next_deadline() == 75.0


def test_no_answer_closes_the_session():
    """The page is told why if it comes back in time; the protocol above at once."""
    session = opened()
    session.tick(30.0)
    session.data_to_send()
    session.tick(50.0)
    assert session.events_received() == [Closed("timeout")]
    assert session.data_to_send() == [Packet(4, CLOSE, b"timeout")]
    session.acknowledge(4)
    assert session.events_received() == [Ended("close acked")]


def test_without_a_transport_nobody_is_pinged():
    """A detached session waits for the whole time, then closes."""
    session = opened()
    session.transport_lost()
    assert session.next_deadline() == 50.0
    session.tick(30.0)
    session.acknowledge(2)
    session.transport_opened(POLL, 31.0)
    assert session.data_to_send() == []
    session.transport_lost()
    session.tick(81.0)
    assert session.events_received() == [Closed("timeout")]


def test_a_session_that_is_never_used_ends_soon():
    """Creating sessions and leaving them does not keep them for a minute."""
    session = make(unused_timeout=7)
    assert session.next_deadline() == 7.0
    session.tick(6.9)
    assert session.state is State.OPEN
    session.tick(7.0)
    assert session.events_received() == [Closed("never used"), Ended("never used")]
    assert session.next_deadline() is None


# -- closing ----------------------------------------------------------------------------------


def test_a_closed_session_delivers_its_last_bytes():
    """What was queued comes before the close packet, over any number of transports."""
    session = opened(POLL)
    session.transport_lost()
    session.send(b"last ")
    session.send(b"bytes")
    session.close("loseConnection", 1.0)
    session.send(b"too late")
    assert session.events_received() == [Closed("loseConnection")]
    session.acknowledge(2)
    session.transport_opened(POLL, 2.0)
    last = [Packet(3, DATA, b"last bytes"), Packet(4, CLOSE, b"loseConnection")]
    assert session.data_to_send() == last
    assert session.is_finished
    session.acknowledge(2)
    session.transport_opened(POLL, 3.0)
    assert session.data_to_send() == last
    session.acknowledge(4)
    session.transport_opened(POLL, 4.0)
    assert session.events_received() == [Ended("close acked")]
    assert session.data_to_send() == []


def test_a_close_packet_waits_only_so_long():
    """When nobody comes for it the session ends all the same; coming does not prolong it."""
    session = opened(close_timeout=5)
    session.close("loseConnection", 10.0)
    session.transport_opened(POLL, 14.0)
    session.data_to_send()
    assert session.next_deadline() == 15.0
    session.tick(15.0)
    assert session.events_received()[-1] == Ended("nobody came for the close packet")


def test_the_browser_may_close():
    """Its close packet ends everything at once; data behind it is nobody's."""
    session = opened()
    up(session, Packet(2, DATA, b"a"), Packet(3, CLOSE), Packet(4, DATA, b"b"))
    assert session.events_received() == [
        DataReceived(b"a"),
        Closed("the browser closed"),
        Ended("the browser closed"),
    ]
    assert session.is_finished


def test_the_close_of_a_browser_is_acknowledged_on_its_websocket():
    """It has not to be said again by a POST, which would find no session."""
    session = opened(SOCKET)
    up(session, Packet(2, CLOSE))
    assert session.data_to_send() == [Packet(0, ACK, b"2")]
    session = opened(POLL)
    up(session, Packet(2, CLOSE))
    assert session.data_to_send() == []


def test_the_browser_may_close_what_is_closing():
    """Then nothing waits for an acknowledgement any more."""
    session = opened()
    session.close("loseConnection", 0.0)
    up(session, Packet(2, DATA, b"late"), Packet(3, CLOSE))
    assert session.events_received() == [
        Closed("loseConnection"),
        Refused(),
        Ended("the browser closed"),
    ]


def test_data_for_a_closing_session_is_not_accepted():
    """It is refused, and no acknowledgement vouches for it, nor for what comes behind it."""
    session = opened(SOCKET)
    session.close("goingAway", 2.0)
    session.events_received()
    up(session, Packet(1, DATA, b"seen before"), Packet(2, DATA, b"late"), now=2.0)
    assert session.events_received() == [Refused()]
    up(session, Packet(3, PING), now=2.0)
    assert session.events_received() == []
    session.tick(4.0)
    assert session.data_to_send() == [Packet(3, CLOSE, b"goingAway"), Packet(0, ACK, b"1")]


def test_closing_twice_is_closing_once():
    """One close packet, one event."""
    session = opened()
    session.close("loseConnection", 0.0)
    session.close("timeout", 0.0)
    session.abort()
    session.abort()
    session.send_alone(b"1")
    assert session.events_received() == [Closed("loseConnection"), Ended("the browser closed")]


@settings(deadline=None)
@given(st.data())
def test_a_number_stream_survives_any_transport_history(data):
    """Transports come and go, acks are lost, POSTs repeat: bytes arrive once, in order."""
    session = opened(unacknowledged_bytes=5000, packet_bytes=1024)
    expected = received = b""
    last, number, now = 2, 0, 0.0
    for _ in range(data.draw(st.integers(1, 60))):
        now += 0.1
        match data.draw(st.sampled_from(["send", "deliver", "cut", "open", "open", "post"])):
            case "send":
                chunk = b"%d," % number * data.draw(st.integers(1, 300))
                number += 1
                session.send(chunk)
                expected += chunk
            case "deliver":
                for packet in session.data_to_send(data.draw(st.integers(1, 5))):
                    if packet.id > last:
                        assert packet.id == last + 1
                        last, received = packet.id, received + (packet.data or b"")
            case "cut":
                session.data_to_send()
                session.transport_lost()
            case "open":
                carrier = data.draw(st.sampled_from([POLL, STREAM, SOCKET]))
                session.acknowledge(data.draw(st.sampled_from([0, last, last - 1])))
                session.transport_opened(carrier, now)
            case "post":
                session.acknowledge(last)
    while len(received) < len(expected):
        session.acknowledge(last)
        session.transport_opened(POLL, now)
        for packet in session.data_to_send(5):
            if packet.id > last:
                last, received = packet.id, received + (packet.data or b"")
    assert received == expected


# -- the short cuts -----------------------------------------------------------------------------


BODIES = st.lists(
    st.sampled_from(
        [
            TEXT.encode([Packet(2, DATA, b"two")]),
            TEXT.encode([Packet(3, DATA, b"three")]),
            TEXT.encode([Packet(10, DATA, b"ten")]),
            TEXT.encode([Packet(4, DATA, b"a"), Packet(5, DATA, b"b")]),
            TEXT.encode([Packet(6, DATA, b"")]),
            TEXT.encode([Packet(6, PING)]),
            TEXT.encode([Packet(0, ACK, b"3")]),
            TEXT.encode([Packet(0, ACK, b"12")]),
            b"11,013,ack02,7",
            b"11,013,ack02,07",
            b"12,214,data04,dHdv",
            b"11,714,data04,dHd",
            b"11,714,data05,dHdv",
            b"11,714,data04,????",
            b"11,714,data04,dHdv0",
            b"",
        ]
    ),
    max_size=6,
)


@given(BODIES, st.sampled_from([STREAM, SOCKET]), st.sampled_from([None, "close", "abort"]))
def test_a_lone_packet_means_the_same_in_every_way(bodies, carrier, end):
    """The short cut does what ``receive_data`` does, or nothing."""
    quick, careful = opened(carrier), opened(carrier)
    for session in (quick, careful):
        session.send(b"down")
        session.data_to_send()
        if end == "close":
            session.close("loseConnection", 0.0)
        elif end == "abort":
            session.abort()
        session.events_received()
    for now, body in enumerate(bodies, 1):
        events = []
        data = quick.take_lone_packet(body, now)
        if data is None:
            quick.receive_data(body, now)
        elif data:
            events.append(DataReceived(data))
        events += quick.events_received()
        careful.receive_data(body, now)
        assert events == careful.events_received()
        assert quick.next_deadline() == careful.next_deadline()
        assert quick.duplicates == careful.duplicates
        assert quick.outbox.unacked_bytes == careful.outbox.unacked_bytes
    quick.tick(8.0)
    careful.tick(8.0)
    assert quick.data_to_send() == careful.data_to_send()


@given(
    st.lists(st.sampled_from([b"x", b"y" * 400, b"z" * 1500, "ping", "ack", "turn", "reopen"])),
    st.sampled_from([STREAM, SOCKET]),
)
def test_what_is_queued_goes_down_the_same_in_every_way(steps, carrier):
    """One packet at a time by the short cut, or all by ``data_to_send``."""
    settings_of_both = {"packet_bytes": 1024, "burst_bytes": 1024, "unacknowledged_bytes": 4096}
    quick, careful = opened(carrier, **settings_of_both), opened(carrier, **settings_of_both)
    for step in [*steps, "turn"]:
        for session in (quick, careful):
            if step == "ack":
                session.acknowledge(session.outbox.last_id - 1)
            elif step == "reopen":
                session.transport_lost()
                session.transport_opened(carrier, 0.0)
            elif step == "ping":
                session.outbox.send_alone(PING, None)
            elif step != "turn":
                session.send(step)
        if step == "turn":
            sent = []
            payload = quick.payload_to_send()
            if payload is not None:
                sent.append(Packet(quick.outbox.last_id, DATA, payload))
            sent += quick.data_to_send()
            assert sent == careful.data_to_send()
            assert quick.outbox.unacked_bytes == careful.outbox.unacked_bytes


def test_an_acknowledgement_rides_along_only_when_it_is_due():
    """After so many packets, or so long, and not with every answer."""
    session = opened(SOCKET, acknowledge_packets=2)
    session.send(b"one")
    assert session.take_lone_packet(RAW.encode([Packet(2, DATA, b"x")]), 2.0, raw=True) == b"x"
    assert session.deadline_moved
    assert session.next_deadline() == 3.0
    assert session.payload_to_send() == b"one"
    assert not session.has_to_send
    assert session.take_lone_packet(RAW.encode([Packet(3, DATA, b"x")]), 2.0, raw=True) == b"x"
    assert session.has_to_send
    session.send(b"two")
    assert session.payload_to_send() is None
    assert session.data_to_send() == [Packet(4, DATA, b"two"), Packet(0, ACK, b"3")]
