"""Frames that many browsers share."""

import pytest

from orbited.http import chunk
from orbited.protocol.packets import DATA, JSON, RAW, TEXT, Packet
from orbited.protocol.shared import SharedFrame
from orbited.transports.sse import SharedEvent
from orbited.transports.websocket import REMEMBERED_LENGTHS, SharedMessage
from orbited.websocket import binary_frame

NUMBERS = [1, 9, 10, 11, 99, 100, 12345, 7, 10**14, 10**15 - 1]


@pytest.mark.parametrize(("encoder", "envelope"), [(TEXT, chunk), (RAW, binary_frame)])
@pytest.mark.parametrize("size", [1, 11, 12, 80, 110, 111, 112, 250, 70_000])
def test_it_is_what_the_encoder_would_have_written(encoder, envelope, size):
    """For every number, however many digits it has, and wherever the envelope grows."""
    shared = SharedFrame(encoder, envelope)
    for payload in (b"1,0" * size, b"," * size):
        for number in NUMBERS:
            packet = encoder.encode([Packet(number, DATA, payload)])
            for _ in range(3):  # one browser, and others that have read as much
                assert shared.build(number, payload) == envelope(packet)


def test_a_message_has_the_ends_of_those_before_it():
    """The same for one browser after the other, whether such a length was seen before or not."""
    shared, ordinary = SharedMessage(), SharedFrame(RAW, binary_frame)
    sizes = [*range(REMEMBERED_LENGTHS + 2), 110, 111, 65_535, 65_536, 110]
    for size in sizes:
        for number in NUMBERS:
            payload = b",%d" % number + b"x" * size
            frame = ordinary.whole(number, payload)
            assert shared.build(number, payload) == frame
            assert shared.build(number + 1, payload) == ordinary.whole(number + 1, payload)
    assert len(shared._beginnings) <= REMEMBERED_LENGTHS


@pytest.mark.parametrize("size", [1, 12, 110, 70_000])
def test_an_event_has_its_number_twice(size):
    """As the id of the event, and as that of the packet."""
    shared = SharedEvent()
    for payload in (b"1,0" * size, b"12345" * size):
        for number in NUMBERS:
            packet = JSON.encode([Packet(number, DATA, payload)])
            event = b"id: %d\nevent: payload\ndata: %b\n\n" % (number, packet)
            assert shared.build(number, payload) == chunk(event)


def test_equal_payloads_that_are_not_the_same_object_are_told_apart():
    """It goes by identity, and keeps the object, so that no other one can have its place."""
    shared = SharedFrame(RAW, bytes)
    first, second = bytes([97] * 40), bytes([97] * 39 + [98])
    assert shared.build(5, first).endswith(b"a")
    assert shared.build(5, second).endswith(b"b")
    assert shared.build(5, first).endswith(b"a")
