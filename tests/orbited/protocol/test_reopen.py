"""A poll that comes again is opened as one that comes for the first time."""

from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from orbited.protocol.packets import DATA, PING, TEXT, Packet
from orbited.protocol.session import Carrier, CometSession
from orbited.protocol.settings import PacketLimits, SessionSettings

POLL = Carrier(is_atomic=True)
SETTINGS = SessionSettings(packet_bytes=1024, burst_bytes=2048, unacknowledged_bytes=8192)


def everything(session: CometSession) -> dict[str, Any]:
    """What a session knows."""
    known = {name: getattr(session, name) for name in session.__slots__ if name != "outbox"}
    return known | {name: getattr(session.outbox, name) for name in session.outbox.__slots__}


def opened() -> CometSession:
    """A session whose page has polled once."""
    session = CometSession(SETTINGS, PacketLimits(), 0.0)
    session.transport_opened(POLL, 0.0)
    session.data_to_send()
    session.transport_lost()
    return session


STEPS = st.lists(
    st.one_of(
        st.integers(-2, 2).map(lambda ack: ("poll", ack)),
        st.just(("poll", 0)),
        st.sampled_from([20, 900, 3000]).map(lambda size: ("send", size)),
        st.sampled_from(["ping", "post", "answer", "lose", "tick", "close"]).map(lambda s: (s, 0)),
    ),
    max_size=40,
)


@given(STEPS)
@example([("poll", -1), ("post", 0), ("lose", 0), ("poll", 0)])  # ``open`` was due, and is not
def test_it_is_the_same_to_the_session(steps):
    """Whatever was before: what the short way leaves is what the ordinary one leaves."""
    quick, careful = opened(), opened()
    posted = 0
    for now, (step, value) in enumerate(steps, 1):
        if step == "poll":
            ack = quick.outbox.last_id + value
            before = everything(quick)
            if not quick.reopen(POLL, ack, now):
                assert everything(quick) == before
                quick.acknowledge(ack)
                quick.transport_opened(POLL, now)
            careful.acknowledge(ack)
            careful.transport_opened(POLL, now)
        posted += step == "post"
        for session in (quick, careful):
            if step == "send":
                session.send(b"x" * value)
            elif step == "ping":
                session.outbox.send_alone(PING, None)
            elif step == "post":
                body = TEXT.encode([Packet(posted, DATA, b"up")])
                session.receive_data(body, now)
                session.events_received()
            elif step == "lose":
                session.transport_lost()
            elif step == "tick":
                session.tick(now)
            elif step == "close":
                session.close("loseConnection", now)
        if step == "answer":
            assert quick.data_to_send() == careful.data_to_send()
            quick.transport_lost()
            careful.transport_lost()
        assert everything(quick) == everything(careful)


def test_a_browser_that_keeps_up_takes_the_short_way():
    """It has read everything, and holds nothing open."""
    session = opened()
    ack = session.outbox.last_id
    session.acknowledge(ack)
    session.transport_opened(POLL, 1.0)
    for now in range(2, 5):
        session.send(b"news")
        assert not session.reopen(POLL, session.outbox.last_id, now)  # one is open
        assert len(session.data_to_send()) == 1
        session.transport_lost()
        assert not session.reopen(POLL, session.outbox.last_id - 1, now)
        assert session.reopen(POLL, session.outbox.last_id, now)
        assert session.is_quiet
