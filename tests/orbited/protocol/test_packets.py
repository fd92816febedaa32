"""Packets and their framings."""

import itertools
import json
from base64 import b64encode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orbited.errors import PacketError
from orbited.protocol.packets import (
    ACK,
    CLOSE,
    DATA,
    JSON,
    OPT,
    PING,
    RAW,
    REMEMBERED,
    TEXT,
    JsonEncoder,
    Packet,
    PacketDecoder,
    RawEncoder,
    TextEncoder,
    decode_body,
    join_shared,
    read_upstream,
)
from orbited.protocol.settings import PacketLimits

LIMITS = PacketLimits(post_bytes=4096, argument_bytes=1000, packets_per_post=5)

BURST = [Packet(1, OPT, b"pingTimeout,30"), Packet(2, b"open"), Packet(3, DATA, b"\0\xff")]


def arguments(*values: bytes) -> bytes:
    """Write one packet in the text framing, by hand."""
    last = len(values) - 1
    return b"".join(b"%d%d,%b" % (i < last, len(v), v) for i, v in enumerate(values))


def test_text_framing_is_that_of_2010():
    """A packet is flags, lengths and arguments, without anything between two packets."""
    assert TEXT.encode(BURST) == b"11,113,opt014,pingTimeout,3011,204,open11,314,data04,AP8="


def test_raw_framing_holds_plain_bytes():
    """On a WebSocket data is not base64, and its length counts bytes."""
    assert RAW.encode([Packet(12, DATA, b"\0\xff")]) == b"12,1214,data02,\0\xff"


def test_json_framing_is_an_array_of_arrays_of_strings():
    """Events and frames carry JSON that any parser reads."""
    assert json.loads(JSON.encode(BURST)) == [
        ["1", "opt", "pingTimeout,30"],
        ["2", "open"],
        ["3", "data", "AP8="],
    ]


def test_an_empty_argument_is_left_out():
    """A packet without data has two arguments."""
    assert TEXT.encode([Packet(4, CLOSE, b""), Packet(5, PING)]) == b"11,405,close11,504,ping"


@pytest.mark.parametrize("encoder", [TEXT, RAW, JSON])
def test_data_of_many_sessions_is_encoded_once(encoder):
    """The same bytes object with another id costs only the id; equal bytes give equal packets."""
    payload = b"x" * 100
    first = encoder.encode([Packet(7, DATA, payload)])
    tail = encoder._tail
    second = encoder.encode([Packet(8, DATA, payload)])
    assert encoder._tail is tail
    assert first.replace(b"7", b"8", 1) == second
    assert encoder.encode([Packet(9, DATA, b"y")]) != encoder.encode([Packet(9, DATA, b"z")])


def test_chunks_of_many_sessions_are_joined_once():
    """Sessions that wait for the same chunks share the joined object."""
    one, two = b"one", b"two"
    joined = join_shared([one, two])
    assert joined == b"onetwo"
    assert join_shared([one, two]) is joined
    assert join_shared([one]) is one


def test_what_makes_several_packets_is_joined_and_encoded_once_for_all():
    """Sessions take them in turns, each all of them."""
    halves = [[b"%d" % number * 300 for number in range(start, start + 5)] for start in (0, 5)]
    joined = [join_shared(list(half)) for half in halves]
    assert joined[0] == b"".join(halves[0])
    for encoder in (TEXT, RAW, JSON):
        wires = set()
        for session in range(5):
            payloads = [join_shared(list(half)) for half in halves]
            assert all(one is other for one, other in zip(payloads, joined, strict=True))
            packets = [Packet(number, DATA, each) for number, each in enumerate(payloads, session)]
            wires.add(encoder.encode(packets))
            assert len(encoder._large) <= REMEMBERED
        assert len(wires) == 5
        assert encoder._large[0][0] is joined[1]


@given(st.lists(st.integers(0, 6), max_size=40))
def test_a_payload_is_encoded_alike_whatever_was_before(order):
    """Remembered or not, small or large."""
    payloads = [b"%d" % number * (700 if number % 2 else 1100) for number in range(7)]
    for kind in (TextEncoder, RawEncoder, JsonEncoder):
        encoder = kind()
        for which in order:
            assert encoder.encode_data(9, payloads[which]) == kind().encode_data(9, payloads[which])


@pytest.mark.parametrize("size", [1, 2, 3, 1000])
def test_decoder_takes_any_cut(size):
    """Packets come out the same whole, byte by byte, or in pieces."""
    body = TEXT.encode(BURST)
    decoder = PacketDecoder()
    events = []
    for start in range(0, len(body), size):
        decoder.receive_data(body[start : start + size])
        events += decoder.events_received()
    assert events == [
        (b"1", b"opt", b"pingTimeout,30"),
        (b"2", b"open"),
        (b"3", b"data", b"AP8="),
    ]
    assert decoder.is_between_packets


@settings(deadline=None)
@given(
    st.lists(st.lists(st.binary(max_size=20), min_size=1, max_size=4), max_size=6),
    st.lists(st.integers(0, 200), max_size=8),
)
def test_decoder_reads_what_was_written_in_random_cuts(packets, cuts):
    """Whatever the arguments hold and wherever the bytes are cut, the same packets come out."""
    body = b"".join(arguments(*packet) for packet in packets)
    decoder = PacketDecoder()
    events = []
    edges = sorted({0, len(body), *(min(cut, len(body)) for cut in cuts)})
    for start, end in itertools.pairwise(edges):
        decoder.receive_data(body[start:end])
        events += decoder.events_received()
    assert events == [tuple(packet) for packet in packets]


@settings(deadline=None)
@given(st.binary(max_size=300), st.integers(1, 50))
def test_decoder_survives_garbage(garbage, size):
    """Any bytes give packets, or an error as the last thing ever, whatever the cut."""

    def decode(step: int) -> list[object]:
        decoder = PacketDecoder(LIMITS)
        events: list[object] = []
        for start in range(0, len(garbage), step):
            decoder.receive_data(garbage[start : start + step])
            events += decoder.events_received()
        assert not any(isinstance(event, PacketError) for event in events[:-1])
        if events and isinstance(events[-1], PacketError):
            decoder.receive_data(b"11,104,open")
            assert decoder.events_received() == []
            events[-1] = PacketError
        return events

    assert decode(size) == decode(1000)


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (b"garbage", "flag and length"),
        (b"1-5,xx", "flag and length"),
        (b"1abc,x", "flag and length"),
        (b"71,1", "flag and length"),
        (b"101,x", "flag and length"),
        (b"1999999999,x", "passes the limit of 1000"),
        (b"11001,", "passes the limit of 1000"),
        (b"11,104,open11,2", "not complete"),
        (b"11,10100,QQ==", "not complete"),
        (b"11,114,data", "not complete"),
        (b"1", "not complete"),
        (b"11,104,ping" * 6, "more than 5 packets"),
        (b"11,1" * 8, "more than 8 arguments"),
    ],
)
def test_a_body_that_is_not_packets_is_refused(body, problem):
    """The first thing that is wrong is named, and nothing of the body counts."""
    with pytest.raises(PacketError, match=problem):
        decode_body(body, LIMITS)


def test_limits_hold_up_to_their_value():
    """As many packets and as long an argument as allowed are taken."""
    assert len(decode_body(b"11,104,ping" * 5, LIMITS)) == 5
    long = arguments(b"1", b"data", b"x" * 1000)
    assert decode_body(long, LIMITS) == [(b"1", b"data", b"x" * 1000)]


@pytest.mark.parametrize(
    ("arguments", "packet"),
    [
        ((b"1", b"data", b"aGVsbG8="), Packet(1, DATA, b"hello")),
        ((b"1", b"data", b""), Packet(1, DATA, b"")),
        ((b"9", b"ping", b""), Packet(9, PING)),
        ((b"9", b"ping"), Packet(9, PING)),
        ((b"10", b"close"), Packet(10, CLOSE)),
        ((b"0", b"ack", b"17"), Packet(0, ACK, b"17")),
    ],
)
def test_what_a_browser_sends_is_understood(arguments, packet):
    """Data, answers to pings, close, and acknowledgements come up."""
    assert read_upstream(arguments) == packet


def test_raw_data_is_not_decoded():
    """On a WebSocket data is what it is."""
    assert read_upstream((b"1", b"data", b"!!!"), raw=True) == Packet(1, DATA, b"!!!")


@pytest.mark.parametrize(
    "arguments",
    [
        (b"1",),
        (b"1", b"data", b"QQ==", b"more"),
        (b"1", b"data"),
        (b"1", b"data", b"!!!"),
        (b"1", b"data", b"QQ"),
        (b"1", b"data", b"QQ==QQ=="),
        (b"1", b"data", b"QQ==\n"),
        (b"1", b"bogus", b"x"),
        (b"1", b"open"),
        (b"0", b"data", b"QQ=="),
        (b"-1", b"ping"),
        (b"+1", b"ping"),
        (b"1_0", b"ping"),
        (b" 1", b"ping"),
        (b"x", b"ping"),
        (b"1" * 16, b"ping"),
        (b"1", b"ack", b"1"),
        (b"0", b"ack"),
        (b"0", b"ack", b"x"),
    ],
)
def test_what_no_browser_sends_is_refused(arguments):
    """Names, numbers and base64 are taken at their word."""
    with pytest.raises(PacketError):
        read_upstream(arguments)


@settings(deadline=None)
@given(st.binary(max_size=500))
def test_base64_of_any_bytes_is_read_back(data):
    """What a browser encodes is what comes out."""
    assert read_upstream((b"1", b"data", b64encode(data))).data == data
