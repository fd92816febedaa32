"""Numbering bytes that go to many: what ``send`` and ``data_to_send`` do, or nothing."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orbited.protocol.outbox import Outbox
from orbited.protocol.packets import DATA, PING, RAW, Packet
from orbited.protocol.session import Carrier, CometSession
from orbited.protocol.settings import PacketLimits, SessionSettings

SETTINGS = SessionSettings(packet_bytes=1024, unacknowledged_bytes=4096, acknowledge_packets=2)
WEBSOCKET = Carrier(is_atomic=True, acknowledges=True)


def opened(carrier=WEBSOCKET):
    """A session with a transport that has carried everything."""
    session = CometSession(SETTINGS, PacketLimits(), 0.0)
    session.transport_opened(carrier, 0.0)
    session.data_to_send()
    return session


def received(session, count):
    """So many packets have come up."""
    for number in range(1, count + 1):
        session.receive_data(RAW.encode([Packet(number, DATA, b"x")]), 0.0, raw=True)
        session.events_received()
    return session


def in_need_of(prepare):
    """A session for which there is more to think of."""
    session = opened()
    prepare(session)
    return session


CASES = {
    "open is not said": lambda s: s.transport_opened(WEBSOCKET, 0.0),
    "something waits": lambda s: s.send(b"first"),
    "a packet is not carried": lambda s: (s.send(b"a"), s.outbox.take(600), s.outbox.rewind()),
    "a ping waits": lambda s: s.outbox.send_alone(PING, None),
    "an acknowledgement is due": lambda s: received(s, 2),
    "the window is half full": lambda s: (
        s.send(b"x" * 1000),
        s.send(b"y" * 900),
        s.data_to_send(),
    ),
    "it closes": lambda s: s.close("loseConnection", 0.0),
    "it has ended": lambda s: s.abort(),
}


@pytest.mark.parametrize("case", CASES)
def test_nothing_is_done_when_there_is_more_to_think_of(case):
    """No number is given, and what the session says next is what it would have said."""
    one, other = in_need_of(CASES[case]), in_need_of(CASES[case])
    assert one.carry(b"payload") == 0
    assert one.data_to_send() == other.data_to_send()
    assert one.outbox.last_id == other.outbox.last_id


@pytest.mark.parametrize("size", [0, 1025])
def test_what_is_no_packet_is_not_carried(size):
    """Nothing, or more than a packet holds."""
    assert opened().carry(b"x" * size) == 0


def test_an_acknowledgement_that_is_not_due_waits():
    """It rides along with nothing that goes to many."""
    session = received(opened(), 1)
    assert session.carry(b"payload") == session.outbox.last_id == 3


@settings(deadline=None, max_examples=80)
@given(
    st.lists(
        st.one_of(
            st.tuples(st.just("carry"), st.binary(max_size=1100)),
            st.tuples(st.just("send"), st.binary(min_size=1, max_size=40)),
            st.tuples(st.just("take"), st.integers(0, 3)),
            st.tuples(st.just("acknowledge"), st.integers(0, 20)),
            st.tuples(st.just("rewind")),
        ),
        max_size=40,
    )
)
def test_an_outbox_that_carries_is_one_that_sends(steps):
    """The same packets leave both, with the same numbers."""
    one, other = Outbox(SETTINGS), Outbox(SETTINGS)
    for name, *arguments in steps:
        if name == "carry":
            (payload,) = arguments
            number = one.carry(payload)
            other.send(payload)
            if number:
                assert other.take(600) == [Packet(number, DATA, payload)]
            else:
                one.send(payload)
        else:
            assert getattr(one, name)(*arguments) == getattr(other, name)(*arguments)
        assert one.last_id == other.last_id
        assert one.unacked_bytes == other.unacked_bytes
        assert one.queued_bytes == other.queued_bytes
    assert one.take(600) == other.take(600)
