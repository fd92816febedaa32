"""Heart-beats: agreement and deadlines."""

import pytest

from stompservice.errors import ProtocolError
from stompservice.protocol.heartbeat import (
    MAX_INTERVAL_MS,
    HeartBeat,
    negotiate,
    parse_heart_beat,
)


@pytest.mark.parametrize(
    ("ours", "theirs", "agreed"),
    [
        ((0, 0), (0, 0), (0, 0)),
        ((100, 200), (0, 0), (0, 0)),
        ((0, 0), (100, 200), (0, 0)),
        ((100, 0), (0, 300), (300, 0)),
        ((300, 0), (0, 100), (300, 0)),
        ((0, 100), (300, 0), (0, 300)),
        ((100, 200), (300, 400), (400, 300)),
        ((1_000, 1_000), (1, 1), (1_000, 1_000)),
    ],
)
def test_negotiate(ours, theirs, agreed):
    """The slower of promise and wish holds, and nothing where either is 0."""
    assert negotiate(ours, theirs) == agreed


def test_both_ends_agree():
    """What one end sends is what the other expects."""
    client, broker = (100, 900), (700, 300)
    assert negotiate(client, broker) == tuple(reversed(negotiate(broker, client)))


def test_parse():
    """The header is two numbers; absent it means none."""
    assert parse_heart_beat("10,20") == (10, 20)
    assert parse_heart_beat(" 10 , 20 ") == (10, 20)
    assert parse_heart_beat(None) == (0, 0)
    assert parse_heart_beat("1,999999999999999999") == (1, MAX_INTERVAL_MS)


@pytest.mark.parametrize("header", ["", "1", "1,2,3", "-1,0", "1.5,0", "a,b", "1;2", "٣,٣"])
def test_malformed(header):
    """Anything else is the peer's mistake."""
    with pytest.raises(ProtocolError, match="heart-beat is not two numbers"):
        parse_heart_beat(header)


def test_no_beats_no_deadline():
    """Without agreement there is nothing to wait for."""
    beat = HeartBeat((0, 0), now=5.0)
    assert beat.next_deadline() is None
    assert not beat.is_due(1e9)
    assert not beat.is_missed(1e9)


def test_ours_is_due_before_the_interval_ends():
    """We send early enough to be in time, and count from what was sent last."""
    beat = HeartBeat((10_000, 0), now=100.0)
    assert beat.next_deadline() == pytest.approx(109)
    assert not beat.is_due(108.9)
    assert beat.is_due(109.1)
    beat.sent(109.1)
    assert not beat.is_due(118)
    assert beat.next_deadline() == pytest.approx(118.1)


def test_theirs_may_be_late_once():
    """Silence is forgiven for twice the interval, from the last byte."""
    beat = HeartBeat((0, 10_000), now=100.0)
    beat.received(105.0)
    assert beat.next_deadline() == 125.0
    assert not beat.is_missed(124.9)
    assert beat.is_missed(125.0)


def test_the_nearer_deadline_counts():
    """With beats both ways the next deadline is the earlier one."""
    beat = HeartBeat((10_000, 1_000), now=0.0)
    assert beat.next_deadline() == 2.0
    beat.received(8.0)
    assert beat.next_deadline() == 9.0
