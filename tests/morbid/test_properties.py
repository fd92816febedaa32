"""Whatever a peer writes: ERROR and close at worst, never an exception, nothing left behind."""

from __future__ import annotations

import itertools

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from morbid.broker import Broker
from morbid.events import Closed
from morbid.limits import Limits
from morbid.policy import Policy
from morbid.session import COMMANDS, BrokerSession
from stompservice.protocol import VERSIONS, Frame, FrameParser, encode
from stompservice.protocol.spec import COMMANDS as WORDS

quickly = settings(
    max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True
)

SMALL = Limits(
    max_subscriptions=5,
    max_destinations=6,
    max_queue_messages=4,
    max_transactions=2,
    max_transaction_frames=4,
    max_unacknowledged=3,
    max_outgoing_bytes=2_000,
    max_body_bytes=1_000,
    max_head_bytes=1_000,
)

CONNECT = {
    version: encode(Frame("CONNECT", {"accept-version": version, "host": "/"}))
    for version in VERSIONS
}

WORD_BYTES = b"SEND SUBSCRIBE CONNECT ACK destination id content-length transaction".split()
garbage = st.lists(
    st.one_of(
        st.binary(max_size=30),
        st.sampled_from([*WORD_BYTES, b"\n", b"\0", b":", b"\r\n", b"\\", b"\n\n", b"/queue/a"]),
    ),
    max_size=40,
).map(b"".join)

# Few names, so that frames meet: the same ids, destinations and transactions again and again.
few = st.sampled_from(["0", "1", "/queue/a", "/queue/b", "/topic/a", "/pubsub/a", "auto", "client"])
ids = st.sampled_from([f"b-{n}" for n in range(1, 8)] + ["b-1~1", "b-2~1", "b-99", "x"])
headers = st.fixed_dictionaries(
    {},
    optional={
        "destination": few,
        "id": st.one_of(few, ids),
        "message-id": ids,
        "subscription": few,
        "transaction": st.sampled_from(["t", "u", "v"]),
        "ack": st.sampled_from(["auto", "client", "client-individual", "x"]),
        "receipt": few,
    },
)
commands = st.sampled_from(sorted(WORDS - {"CONNECT", "STOMP", "CONNECTED"}))
frames = st.builds(Frame, commands, headers)
good_commands = st.sampled_from(["SEND", "SUBSCRIBE", "ACK", "NACK", "UNSUBSCRIBE", "BEGIN"])
likely_frames = st.builds(
    lambda command, headers: Frame(
        command, {"destination": "/queue/a", "id": "0", "transaction": "t"} | headers
    ),
    good_commands,
    headers,
)


def check_consistent(broker, sessions):
    """What the broker counts is what there is."""
    live = [session for session in sessions if not session.is_closed]
    assert broker.subscription_count == sum(len(each.subscriptions.by_key) for each in live)
    assert len(broker.logins) == len(live)
    outstanding = sum(len(each.subscriptions.unacknowledged) for each in live)
    queues = [each for each in broker.destinations.values() if hasattr(each, "outstanding")]
    assert sum(queue.outstanding for queue in queues) == outstanding
    assert all(not destination.is_empty for destination in broker.destinations.values())
    assert len(broker.destinations) <= broker.limits.max_destinations
    for queue in queues:
        assert queue.depth <= broker.limits.max_queue_messages
        sequences = [queued.sequence for queued in queue.backlog]
        assert sequences == sorted(sequences)
    assert (broker.queue_bytes == 0) == (not any(queue.depth for queue in queues))


@quickly
@given(garbage, st.sampled_from([b"", *CONNECT.values()]))
def test_garbage(data, before):
    """Any bytes, before and after the login, end in ERROR and close, or in nothing."""
    broker = Broker(SMALL, "b")
    session = BrokerSession(broker, now=0.0)
    session.receive_data(before + data, 0.0)
    written = b"".join(session.data_to_send())
    parser = FrameParser()
    parser.receive_data(written)
    answered = list(parser.events_received())
    assert all(isinstance(frame, Frame) for frame in answered)
    errors = [frame for frame in answered if frame.command == "ERROR"]
    assert not any(b"Traceback" in frame.body for frame in errors)
    closed = [event for event in session.events_received() if isinstance(event, Closed)]
    if session.is_closed:
        assert len(closed) == 1
        assert (closed[0].code is not None) == bool(errors)
    session.connection_lost()
    assert broker.subscription_count == 0
    assert broker.logins == {}


@quickly
@given(garbage, st.lists(st.integers(0, 400), max_size=8))
def test_any_cut_is_the_same(data, cuts):
    """The same bytes, cut anywhere, are answered with the same bytes."""

    def answer(parts):
        session = BrokerSession(Broker(SMALL, "b"), now=0.0)
        for part in parts:
            session.receive_data(part, 0.0)
        return b"".join(session.data_to_send()), session.is_closed

    data = CONNECT["1.2"] + data
    edges = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    parts = [data[start:end] for start, end in itertools.pairwise(edges)]
    assert answer(parts) == answer([data])


said = st.sampled_from(
    [
        *[Frame("SEND", {"destination": where}, b"x") for where in ("/topic/a", "/queue/a")] * 4,
        Frame("SEND", {"destination": "/topic/a", "content-length": "2"}, b"xy"),
        Frame("SEND", {"destination": "/queue/a", "receipt": "r"}, b"x"),
        Frame("SEND", {"destination": "/topic/a", "transaction": "t"}, b"x"),
        Frame("SEND", {"destination": ""}, b"x"),
        Frame("SEND", {"destination": "/topic/own"}, b"x"),
        Frame("SUBSCRIBE", {"id": "0", "destination": "/topic/a"}),
        Frame("SUBSCRIBE", {"id": "1", "destination": "/queue/a", "ack": "client"}),
        Frame("UNSUBSCRIBE", {"id": "0"}),
        Frame("BEGIN", {"transaction": "t"}),
        Frame("COMMIT", {"transaction": "t"}),
    ]
)


@quickly
@given(
    st.lists(st.tuples(said, st.integers(1, 8)), max_size=12),
    st.lists(st.integers(0, 2_000), max_size=6),
    st.sampled_from(VERSIONS),
    st.booleans(),
)
def test_send_after_send_is_the_same_as_each_by_itself(steps, cuts, version, is_slow):
    """Many SENDs in one packet, or each in its own, have the effect of the same byte by byte."""
    policy = Policy(advisory_destination="/topic/own")

    def answer(parts):
        broker = Broker(SMALL, "b")
        session = BrokerSession(broker, policy, now=0.0)
        session.receive_data(CONNECT[version], 0.0)
        if is_slow:
            session.pause()
        for part in parts:
            session.receive_data(part, 0.0)
        session.resume()
        counted = {**broker.counted(), "bytes_in": 0}
        return b"".join(session.data_to_send()), session.is_closed, counted

    frames = [encode(frame, version) for frame, times in steps for _ in range(times)]
    data = b"".join(frames)
    edges = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    byte_by_byte = [data[at : at + 1] for at in range(len(data))]
    in_pieces = [data[start:end] for start, end in itertools.pairwise(edges)]
    assert answer(in_pieces) == answer(frames) == answer([data]) == answer(byte_by_byte)


@quickly
@given(
    st.lists(
        st.tuples(
            st.integers(0, 2),
            st.one_of(likely_frames, frames, st.sampled_from(["lose", "pause", "resume"])),
        ),
        max_size=40,
    ),
    st.tuples(*[st.sampled_from(VERSIONS)] * 3),
)
def test_any_conversation(steps, versions):
    """Three clients doing anything, in any order: the books are kept, and end empty."""
    broker = Broker(SMALL, "b")
    sessions = []

    def log_in(version):
        session = BrokerSession(broker, now=0.0)
        session.receive_data(CONNECT[version], 0.0)
        sessions.append(session)
        return session

    clients = [log_in(version) for version in versions]
    for number, step in steps:
        session = clients[number]
        if step == "lose":
            session.connection_lost()
        elif step == "pause":
            session.pause()
        elif step == "resume":
            session.resume()
        else:
            session.receive_data(encode(step, session.version), 0.0)
        if session.is_closed:
            session.connection_lost()
            clients[number] = log_in(versions[number])
        check_consistent(broker, sessions)
    for session in sessions:
        session.connection_lost()
    assert broker.subscription_count == 0
    assert set(broker.destinations) <= {"/queue/a", "/queue/b"}
    assert set(COMMANDS) != set()


@quickly
@given(st.binary(max_size=64), st.integers(1, 50))
def test_memory_is_bounded(piece, repeat):
    """However often bytes are repeated, what is kept of them is bounded."""
    session = BrokerSession(Broker(SMALL), now=0.0)
    for _ in range(repeat):
        session.receive_data(piece * 50, 0.0)
    assert session._parser.bytes_buffered <= 2_000 + len(piece) * 50
