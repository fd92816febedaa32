"""Numbering, merging and the resend window."""

from hypothesis import given, settings
from hypothesis import strategies as st

from orbited.protocol.outbox import PACKET_OVERHEAD, Outbox
from orbited.protocol.packets import DATA, PING, Packet
from orbited.protocol.settings import SessionSettings

SMALL = SessionSettings(packet_bytes=10, unacknowledged_bytes=300, queued_bytes=1000)


def test_neighbors_are_merged_into_one_packet():
    """What waits together leaves in one data packet."""
    outbox = Outbox(SessionSettings())
    outbox.send(b"one ")
    outbox.send(b"two")
    assert outbox.take(600) == [Packet(1, DATA, b"one two")]
    assert outbox.queued_bytes == 0


def test_a_single_chunk_is_passed_on_as_it_is():
    """No copy is made of what need not be joined."""
    outbox, chunk = Outbox(SessionSettings()), b"a frame"
    outbox.send(chunk)
    assert outbox.take(600)[0].data is chunk


def test_packets_are_bounded_in_size():
    """Chunks are merged up to the bound and split beyond it."""
    outbox = Outbox(SMALL)
    for chunk in (b"123456", b"7890", b"abcdefghijKLMNOPQRSTuv", b"w"):
        outbox.send(chunk)
    assert [packet.data for packet in outbox.take(600)] == [
        b"1234567890",
        b"abcdefghij",
        b"KLMNOPQRST",
        b"uvw",
    ]


def test_what_stands_alone_is_never_merged():
    """The answer to a handshake is a packet of its own, whatever stands beside it."""
    outbox = Outbox(SessionSettings())
    outbox.send(b"before")
    outbox.send_alone(DATA, b"1")
    outbox.send(b"behind")
    outbox.send(b" it")
    assert [packet.data for packet in outbox.take(600)] == [b"before", b"1", b"behind it"]


def test_a_burst_is_bounded_and_the_rest_follows():
    """No more packets than asked for, resent ones counted in; ids go on."""
    outbox = Outbox(SMALL)
    for _ in range(5):
        outbox.send_alone(PING, None)
    assert [packet.id for packet in outbox.take(2)] == [1, 2]
    assert outbox.has_more
    outbox.rewind()
    assert [packet.id for packet in outbox.take(3)] == [1, 2, 3]
    assert [packet.id for packet in outbox.take(3)] == [4, 5]
    assert outbox.take(3) == []
    assert outbox.is_sent


def test_acknowledged_packets_are_never_sent_again():
    """Only what the browser has not confirmed goes again on the next transport."""
    outbox = Outbox(SMALL)
    for _ in range(4):
        outbox.send_alone(PING, None)
    outbox.take(600)
    assert outbox.acknowledge(2) == Packet(2, PING)
    outbox.rewind()
    assert [packet.id for packet in outbox.take(600)] == [3, 4]


def test_acknowledgements_that_make_no_sense_are_ignored():
    """Old ones change nothing, and those of the future count for what was sent."""
    outbox = Outbox(SMALL)
    outbox.send_alone(PING, None)
    outbox.take(600)
    assert outbox.acknowledge(0) is None
    assert outbox.acknowledge(1_000_000) == Packet(1, PING)
    assert outbox.acknowledge(1) is None
    assert outbox.acknowledge(2) is None
    outbox.send_alone(PING, None)
    assert [packet.id for packet in outbox.take(600)] == [2]


def test_ids_are_given_at_the_first_transmission():
    """Queued bytes have no id, so acknowledgements cannot reach them."""
    outbox = Outbox(SMALL)
    outbox.send(b"a")
    assert outbox.last_id == 0
    outbox.acknowledge(1)
    assert [packet.id for packet in outbox.take(600)] == [1]


def test_a_full_window_holds_back_what_is_new():
    """At the bound on unacknowledged bytes nothing gets a number until some are confirmed."""
    outbox = Outbox(SMALL)
    for _ in range(10):
        outbox.send(b"0123456789")
    sent = outbox.take(600)
    assert len(sent) == -(-300 // (10 + PACKET_OVERHEAD))
    assert outbox.take(600) == []
    assert not outbox.has_more
    assert not outbox.is_sent
    outbox.acknowledge(1)
    assert [packet.id for packet in outbox.take(600)] == [sent[-1].id + 1]


def test_too_much_waiting_is_reported():
    """Beyond the bound on queued bytes send says so; at the bound it does not."""
    outbox = Outbox(SMALL)
    assert outbox.send(b"x" * 1000)
    assert not outbox.send(b"x")


def test_bytes_are_counted_in_and_out():
    """What is counted as waiting or unacknowledged comes back to nothing."""
    outbox = Outbox(SessionSettings())
    outbox.send(b"")
    outbox.send(b"x" * 100)
    outbox.send_alone(DATA, b"1")
    assert outbox.queued_bytes == 101
    outbox.take(600)
    assert outbox.queued_bytes == 0
    assert outbox.unacked_bytes == 101 + 2 * PACKET_OVERHEAD
    outbox.acknowledge(2)
    assert outbox.unacked_bytes == 0
    outbox.send(b"y")
    outbox.clear()
    assert outbox.queued_bytes == outbox.unacked_bytes == 0
    assert outbox.take(600) == []


@settings(deadline=None)
@given(
    st.lists(
        st.one_of(
            st.binary(min_size=1, max_size=25),
            st.sampled_from(["take", "rewind", "alone"]),
            st.integers(0, 40),
        ),
        max_size=60,
    )
)
def test_bytes_arrive_once_and_in_order(steps):
    """Whatever is lost, confirmed and sent again, a browser that drops repeats reads all bytes."""
    outbox = Outbox(SMALL)
    expected = received = b""
    last = 0

    def deliver(packets: list[Packet]) -> None:
        nonlocal received, last
        for packet in packets:
            if packet.id > last:
                assert packet.id == last + 1
                last = packet.id
                received += packet.data or b""

    for step in steps:
        if step == "take":
            deliver(outbox.take(3))
        elif step == "rewind":
            outbox.rewind()
        elif step == "alone":
            outbox.send_alone(DATA, b"1")
            expected += b"1"
        elif isinstance(step, int):
            outbox.acknowledge(min(step, last))
        else:
            outbox.send(step)
            expected += step
    for _ in range(len(steps) * 4):
        outbox.acknowledge(last)
        deliver(outbox.take(3))
    assert received == expected
    assert outbox.is_sent


def test_a_burst_is_bounded_in_bytes() -> None:
    """What goes again after a cut leaves in pieces, in order, and each small enough to arrive."""
    outbox = Outbox(SessionSettings(packet_bytes=1024, burst_bytes=3500))
    sent = [bytes([number]) * 1024 for number in range(10)]
    for data in sent:
        outbox.send(data)
    assert len(outbox.take(600)) == 3
    outbox.rewind()
    bursts = []
    while burst := outbox.take(600):
        bursts.append([packet.data for packet in burst])
        assert outbox.has_more == (len(bursts) < 4)
    assert [len(burst) for burst in bursts] == [3, 3, 3, 1]
    assert [data for burst in bursts for data in burst] == sent


def test_a_packet_larger_than_a_burst_goes_alone() -> None:
    """The bound never stops the traffic."""
    outbox = Outbox(SessionSettings(packet_bytes=4096, burst_bytes=1024))
    outbox.send(b"a" * 4096)
    outbox.send(b"b" * 4096)
    assert [packet.data for packet in outbox.take(600)] == [b"a" * 4096]
    assert [packet.data for packet in outbox.take(600)] == [b"b" * 4096]


def outbox_that_was_cut(cuts: int, **changes: int) -> Outbox:
    """One with ten packets of a hundred bytes, whose transports brought the first and no more."""
    bounds = {"packet_bytes": 100, "burst_bytes": 4000, **changes}
    outbox = Outbox(SessionSettings(**bounds))
    for _ in range(50):
        outbox.send(b"x" * 100)
    outbox.take(600)
    outbox.acknowledge(1)
    outbox.rewind()
    for _ in range(cuts):
        outbox.take(600)
        outbox.rewind()
    return outbox


def test_a_transport_that_brought_nothing_is_followed_by_smaller_bursts() -> None:
    """Half of the bytes each time, and a packet at least."""
    sizes = []
    for cuts in range(1, 5):
        outbox = outbox_that_was_cut(cuts)
        packets = outbox.take(600)
        assert packets[0].id == 2
        sizes.append(sum(len(packet.data or b"") + PACKET_OVERHEAD for packet in packets))
    assert sizes == [12 * 164, 6 * 164, 6 * 164, 6 * 164]


def test_such_a_transport_carries_one_burst_until_it_is_acknowledged() -> None:
    """Then as much as any; and bursts have their old size after some acknowledgements."""
    outbox = outbox_that_was_cut(1)
    first = outbox.take(600)
    assert outbox.is_held
    assert not outbox.has_more
    assert outbox.take(600) == []
    outbox.acknowledge(first[0].id)
    assert not outbox.is_held
    assert outbox.has_more
    assert len(outbox.take(600)) == 24


def test_little_is_held_back_from_no_transport() -> None:
    """What fits into a burst goes as ever, also when it comes later; the stream stays open."""
    outbox = outbox_that_was_cut(0)
    outbox.acknowledge(49)
    outbox.take(600)
    outbox.rewind()
    outbox.rewind()
    assert [packet.id for packet in outbox.take(600)] == [50]
    outbox.send(b"news")
    assert [packet.data for packet in outbox.take(600)] == [b"news"]
    assert not outbox.is_held


def test_what_gets_its_number_then_is_cut_smaller() -> None:
    """New packets fit into the smaller bursts; a chunk that does not goes by itself."""
    outbox = Outbox(SessionSettings(packet_bytes=3000, burst_bytes=4000))
    outbox.send_alone(PING, None)
    outbox.take(600)
    outbox.acknowledge(1)
    outbox.rewind()
    outbox.send_alone(PING, None)
    for _ in range(2):
        outbox.take(600)
        outbox.rewind()
    for size in (900, 900, 2500):
        outbox.send(b"x" * size)
    assert outbox.take(600) == [Packet(2, PING)]
    outbox.acknowledge(2)
    sizes = [len(packet.data or b"") for _ in range(2) for packet in outbox.take(600)]
    assert sizes == [900, 900, 2500]


def test_a_browser_that_never_acknowledges_is_served_as_ever() -> None:
    """Clients that cannot are not held back for it."""
    outbox = Outbox(SessionSettings(packet_bytes=100, burst_bytes=1024))
    for _ in range(50):
        outbox.send(b"x" * 100)
    for _ in range(3):
        outbox.rewind()
        assert outbox.take(600)
        assert outbox.has_more


@given(
    st.lists(
        st.lists(st.binary(min_size=1, max_size=10), min_size=1, max_size=8), min_size=1, max_size=8
    )
)
def test_several_chunks_at_once_are_as_if_one_by_one(calls):
    """Or nothing is done, where whoever sends has to be asked to stop, or has gone too far."""
    limits = SessionSettings(
        packet_bytes=10, unacknowledged_bytes=300, pause_bytes=120, queued_bytes=150
    )
    one, other = Outbox(limits), Outbox(limits)
    for chunks in calls:
        size = sum(map(len, chunks))
        if not one.send_all(chunks, size):
            assert one.queued_bytes + size >= min(one.pause_bytes, limits.queued_bytes + 1)
            for chunk in chunks:
                one.send(chunk)
        for chunk in chunks:
            other.send(chunk)
        assert one.queued_bytes == other.queued_bytes
    assert one.take(600) == other.take(600)
