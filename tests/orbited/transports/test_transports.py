"""What each transport puts on the wire."""

import json
import re

import pytest

from orbited.protocol.packets import DATA, Packet
from tests.support.comet import decode

OPTS = "11,113,opt014,pingTimeout,3011,213,opt015,pingInterval,30"
OPEN = "11,204,open"
ARRAYS = [["1", "opt", "pingTimeout,30"], ["2", "opt", "pingInterval,30"], ["2", "open"]]
STREAMING = ["xhrstream", "sse", "htmlfile"]
MODERN = {"accept": "text/event-stream"}


@pytest.mark.parametrize("name", ["longpoll", "poll"])
def test_polls_hold_packets_and_nothing_else(comet, name):
    """No padding: the page parses the whole body."""
    exchange = comet.open(comet.create(), name)
    assert exchange.content.decode() == OPTS + OPEN
    assert exchange.length == len(exchange.content)
    assert exchange.is_finished


def test_xhrstream_is_padded_once(comet):
    """256 blanks come first, then packets; the response stays open."""
    exchange = comet.open(comet.create(), "xhrstream")
    assert exchange.content.decode() == " " * 256 + OPTS + OPEN
    assert exchange.length is None
    assert not exchange.is_finished


def test_sse_speaks_the_standard_to_those_who_ask_for_it(comet):
    """An event stream whose event id is the acknowledgement."""
    key = comet.create()
    exchange = comet.open(key, "sse", headers=MODERN)
    assert exchange.headers["Content-Type"] == "text/event-stream"
    event = re.fullmatch(rb"id: 2\nevent: payload\ndata: (.*)\n\n", exchange.content)
    assert json.loads(event[1]) == ARRAYS
    comet.session(key).write(b"x")
    comet.turn()
    again = comet.open(key, "sse", headers={**MODERN, "last-event-id": "2"})
    assert b'[["3", "data", "eA=="]' in again.content


def test_sse_speaks_the_old_form_to_the_rest(comet):
    """As Opera's element had it."""
    exchange = comet.open(comet.create(), "sse")
    assert exchange.headers["Content-Type"] == "application/x-dom-event-stream"
    event = re.fullmatch(rb"Event: payload\ndata: (.*)\n\n", exchange.content)
    assert json.loads(event[1]) == ARRAYS


def test_htmlfile_is_a_page_of_scripts(comet):
    """At least 256 bytes of head, then one script per burst."""
    exchange = comet.open(comet.create(), "htmlfile")
    head, script = exchange.written
    assert len(head) >= 256
    assert b'src="../static/HTMLFileFrame.js"' in head
    assert json.loads(re.fullmatch(rb"<script>e\((.*)\)</script>", script)[1]) == ARRAYS


@pytest.mark.parametrize(
    ("name", "heartbeat", "headers"),
    [
        ("xhrstream", b"x", {}),
        ("htmlfile", b"<script>h();</script>", {}),
        ("sse", b"Event: heartbeat\n\n", {}),
        ("sse", b"event: heartbeat\ndata:\n\n", MODERN),
    ],
)
def test_a_heartbeat_follows_silence_only(make_comet, name, heartbeat, headers):
    """Each write puts it off; it never shares a write with a packet."""
    comet = make_comet({"transports": {"heartbeat_seconds": 5, "sse_heartbeat_seconds": 5}})
    key = comet.create()
    exchange = comet.open(key, name, headers=headers)
    comet.clock.advance(4)
    comet.session(key).write(b"x")
    comet.turn()
    count = len(exchange.written)
    comet.clock.advance(4)
    assert len(exchange.written) == count
    comet.clock.advance(1)
    assert exchange.written[count:] == [heartbeat]
    comet.clock.advance(5)
    assert exchange.written[count:] == [heartbeat] * 2


@pytest.mark.parametrize("name", STREAMING)
def test_a_stream_begins_at_once(comet, name):
    """The head goes out although there is nothing to say yet."""
    key = comet.create()
    comet.open(key, "poll")
    comet.post(key, Packet(1, DATA, b"up"))
    assert comet.open(key, name, ack=2).written


@pytest.mark.parametrize("name", STREAMING)
def test_a_stream_ends_when_it_has_grown_long(make_comet, name):
    """At a packet boundary, properly; what follows waits for the next."""
    comet = make_comet({"transports": {"stream_bytes": 2000}})
    key = comet.create()
    exchange = comet.open(key, name, headers={"accept": "text/event-stream"})
    comet.session(key).write(b"x" * 3000)
    comet.turn()
    assert exchange.is_finished
    comet.session(key).write(b"more")
    comet.turn()
    comet.clock.advance(20)
    again = comet.open(key, "longpoll", ack=3)
    assert again.content == b"11,414,data08,bW9yZQ=="


def test_the_stream_of_opera_does_not_end(make_comet):
    """Its page never says what it has read when it comes back, so it would read that again."""
    comet = make_comet({"transports": {"stream_bytes": 2000}})
    key = comet.create()
    exchange = comet.open(key, "sse")
    for _ in range(1000):
        comet.session(key).write_alone(b"x" * 30)
    comet.turn()
    assert not exchange.is_finished
    assert exchange.content.count(b'"data"') == 1000


@pytest.mark.parametrize("name", ["xhrstream", "longpoll", "poll"])
def test_no_response_has_more_packets_than_an_old_page_can_parse(comet, name):
    """666 arguments of three fit into its parser; we stop before that and go on in the next."""
    key = comet.create()
    session = comet.session(key)
    for _ in range(1500):
        session.write_alone(b"x")
    seen = ack = 0
    for _ in range(10):
        exchange = comet.open(key, name, ack=ack)
        packets = decode(exchange.content)
        assert len(packets) < 666
        seen += sum(name == b"data" for _, name, *_ in packets)
        if seen == 1500:
            break
        assert exchange.is_finished
        ack = int(packets[-1][0])
    assert seen == 1500


def test_a_gone_browser_leaves_no_heartbeat_behind(comet):
    """Nothing is written to a lost exchange."""
    key = comet.create()
    exchange = comet.open(key)
    exchange.lose()
    count = len(exchange.written)
    comet.clock.advance(20)
    comet.session(key).write(b"x")
    comet.turn()
    assert len(exchange.written) == count


def test_many_sessions_share_what_is_encoded(comet):
    """The same bytes object, written to all, is the same text with another id for each."""
    keys = [comet.create() for _ in range(3)]
    streams = [comet.open(key) for key in keys]
    for key in keys:
        comet.post(key, Packet(1, DATA, b"up"))
    frame = b"MESSAGE\n\nx\0"
    for key in keys:
        comet.session(key).write(frame)
    comet.turn()
    assert len({stream.written[-1] for stream in streams}) == 1
