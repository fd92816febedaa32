"""A packet that begins as one of its length did before is read as if every byte were looked at."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orbited.protocol import packets
from orbited.protocol.packets import ACK, DATA, RAW, TEXT, Packet, lone_heads
from orbited.protocol.session import Carrier, CometSession, DataReceived, Malformed, Refused
from orbited.protocol.settings import PacketLimits, SessionSettings

WEBSOCKET = Carrier(is_atomic=True, acknowledges=True)
MOST_BYTES = 12


@pytest.fixture(autouse=True)
def nothing_is_remembered():
    """What a packet leaves behind is for all sessions."""
    lone_heads.clear()


def opened(last=0, argument_bytes=MOST_BYTES):
    """A session that has got so many packets."""
    limits = PacketLimits(argument_bytes=argument_bytes)
    session = CometSession(SessionSettings(), limits, 0.0)
    session.transport_opened(WEBSOCKET, 0.0)
    session.data_to_send()
    session._last_upstream_id = last
    return session


def body(number, data, encoder=RAW):
    """One data packet."""
    return encoder.encode([Packet(number, DATA, data)])


def take(session, received, now, raw):
    """What a message causes, by the short way if that takes it."""
    data = session.take_lone_packet(received, now, raw)
    if data is None:
        session.receive_data(received, now, raw=raw)
        return session.events_received()
    return [DataReceived(data)] if data else session.events_received()


def altered(received, place, byte, cut):
    """The same with a byte in place of another, or without its end, or with more behind it."""
    if cut < 0:
        return received[:cut]
    place %= len(received)
    return received[:place] + byte + received[place + len(byte) :] + b"x" * cut


steps = st.one_of(
    st.tuples(st.just("next"), st.binary(max_size=MOST_BYTES + 2)),
    st.tuples(st.just("again"), st.sampled_from([b"a", b"bc", b"0123456789"])),
    st.tuples(st.just("ack"), st.integers(0, 12)),
    st.tuples(
        st.just("altered"),
        st.integers(0, 40),
        st.sampled_from([b"", b"0", b"1", b"4", b"9", b",", b"%", b"12", b"\0"]),
        st.integers(-3, 2),
    ),
)


@given(st.sampled_from([0, 7, 97, 998]), st.sampled_from([RAW, TEXT]), st.lists(steps, max_size=30))
def test_the_short_way_agrees(last, encoder, given_steps):
    """In events and in what is kept, whatever came before it."""
    raw = encoder is RAW
    quick, careful = opened(last), opened(last)
    warm = opened(last)  # another browser, that has sent as much, makes more remembered
    for now, (kind, *values) in enumerate(given_steps, 1):
        number = careful._last_upstream_id + 1
        if kind == "next":
            received = body(number, values[0], encoder)
        elif kind == "again":
            received = body(max(1, number - 1), values[0], encoder)
        elif kind == "ack":
            received = encoder.encode([Packet(0, ACK, b"%d" % values[0])])
        else:
            received = altered(body(number, b"012345678", encoder), *values)
        take(warm, received, now, raw)
        careful.receive_data(received, now, raw=raw)
        assert take(quick, received, now, raw) == careful.events_received()
        assert quick._last_upstream_id == careful._last_upstream_id
        assert quick._unreported == careful._unreported
        assert quick.next_deadline() == careful.next_deadline()
        assert quick.state is careful.state


def test_what_stands_where_base64_should_is_looked_at():
    """Where a packet of that length was good before, too."""
    session = opened(1)
    assert session.take_lone_packet(b"11,214,data04,dHdv", 1.0, False) == b"two"
    assert session.take_lone_packet(b"11,314,data04,dH?v", 1.0, False) is None
    assert session.take_lone_packet(b"11,314,data04,d=dv", 1.0, False) is None
    assert session.take_lone_packet(b"11,314,data04,dHdv", 1.0, False) == b"two"


def test_the_second_of_a_length_is_not_taken_apart(monkeypatch):
    """As long as its number is the next one, of as many digits."""
    session = opened(7)
    assert session.take_lone_packet(body(8, b"hello"), 1.0, True) == b"hello"
    read = packets.read_lone_data
    asked = []
    monkeypatch.setattr(
        "orbited.protocol.shortways.read_lone_data",
        lambda *arguments: asked.append(arguments[0]) or read(*arguments),
    )
    assert session.take_lone_packet(body(9, b"world"), 1.0, True) == b"world"
    assert asked == []
    assert session.take_lone_packet(body(10, b"moved"), 1.0, True) == b"moved"
    assert asked == [body(10, b"moved")]


def test_a_head_is_remembered_for_its_own_number_of_digits():
    """Else a longer number would be read into what follows it."""
    session = opened(98)
    assert session.take_lone_packet(body(99, b"hello"), 1.0, True) == b"hello"
    wrong = b"12,10014,data05,hell"
    assert len(wrong) == len(body(99, b"hello"))
    assert session.take_lone_packet(wrong, 1.0, True) is None
    session.receive_data(wrong, 1.0, raw=True)
    assert isinstance(session.events_received()[0], Malformed)


def test_each_session_has_its_own_limit():
    """What another may send is remembered for all, but not let through."""
    generous, strict = opened(0, 100), opened(0, 10)
    assert generous.take_lone_packet(body(1, b"x" * 50), 1.0, True) == b"x" * 50
    assert strict.take_lone_packet(body(1, b"x" * 50), 1.0, True) is None
    strict.receive_data(body(1, b"x" * 50), 1.0, raw=True)
    assert isinstance(strict.events_received()[0], Malformed | Refused)


def test_only_so_many_lengths_are_remembered():
    """Whoever sends all lengths fills no memory."""
    session = opened(0, 1000)
    for number in range(1, 600):
        assert session.take_lone_packet(body(number, b"x" * number), 1.0, True) == b"x" * number
        assert len(lone_heads) <= packets.REMEMBERED_LENGTHS
