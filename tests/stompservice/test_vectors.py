"""What MorbidQ 0.8.7.3 and its clients put on the wire, read and answered by ours."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from stompservice import StompClientFactory
from stompservice.connection import StompProtocol
from stompservice.protocol import Frame, FrameError, FrameParser, encode
from stompservice.protocol.events import Connected, Error, Message
from stompservice.protocol.spec import SERVER_COMMANDS

DATA = Path(__file__).parent.parent / "data" / "morbid-0.8.7.3.json"
TRACES = {vector["name"]: vector["trace"] for vector in json.loads(DATA.read_text())["vectors"]}

REFUSED = {
    # What MorbidQ swallowed without an answer is an error for us, and why.
    "lowercase connect": "a frame begins with a command in capital letters",
    "garbage": "a frame begins with a command in capital letters",
    "header no colon": "header line has no colon: 'destination'",
    # What it forwarded with a header that lied.
    "wrong content-length small": "no NUL after the 2 bytes",
}


def said(trace: list, side: str) -> bytes:
    """Everything that one side of a trace has written."""
    text = "".join(data for who, data in trace if who == side)
    return text.replace("<EOF>", "").encode("latin-1")


def read(data: bytes, version: str = "1.0") -> list[Frame | FrameError]:
    """Every event in these bytes."""
    parser = FrameParser(version=version)
    parser.receive_data(data)
    return list(parser.events_received())


@pytest.mark.parametrize("name", TRACES)
def test_what_the_broker_wrote(name):
    """Every answer is read to its end, and our encoder would end each frame the same way."""
    data = said(TRACES[name], "S")
    if name in ("nul in body w/ content-length", "wrong content-length small"):
        # It cut the body and left the length, or passed a wrong one on: not to be trusted.
        assert isinstance(read(data)[1], FrameError)
        return
    frames = read(data)
    assert {frame.command for frame in frames} <= SERVER_COMMANDS
    assert data.count(b"\0\n") == len(frames)
    assert all(encode(frame, "1.0").endswith(b"\0\n") for frame in frames)


@pytest.mark.parametrize("name", TRACES)
def test_what_the_clients_wrote(name):
    """Every frame of the old clients is read; what is refused, is refused for a reason."""
    data = said(TRACES[name], "C")
    frames = read(data, "1.2" if "crlf" in name else "1.0")
    if name in REFUSED:
        assert str(frames[-1]).startswith(REFUSED[name])
    else:
        assert all(isinstance(frame, Frame) for frame in frames)
        assert len(frames) == data.count(b"\0") - (name.startswith("nul in body"))


def test_headers_of_old_clients():
    """Blanks go, nothing is unescaped, the last of repeated headers counts, as measured."""
    sent = read(said(TRACES["header colon in value"], "C"))[-1]
    received = read(said(TRACES["header colon in value"], "S"))[-1]
    for name in ("k", "esc", "sp"):
        assert sent.headers[name] == received.headers[name]
    assert read(said(TRACES["dup header"], "C"))[-1].headers["k"] == "2"


def test_our_connect_in_the_old_style(clock, broker_end):
    """A factory that offers no version writes the CONNECT of 2008."""

    class Old(StompClientFactory):
        username = password = "guest"
        versions = ()
        heart_beat = (0, 0)

    factory = Old()
    factory.clock = clock
    wrote = broker_end(factory.buildProtocol(None)).raw()
    assert wrote == TRACES["connect with trailing newline + heartbeat newline"][0][1].encode()


@pytest.mark.parametrize("name", ["connect accept-version", "pipelined subscribe", "auth good"])
def test_our_client_and_the_old_broker(clock, broker_end, name):
    """Our client understands what the old broker answers, and stays through its errors."""
    events = []
    broker = broker_end(StompProtocol(None, lambda protocol, event: events.append(event), clock))
    broker.protocol.dataReceived(said(TRACES[name], "S"))
    kinds = {
        "connect accept-version": [Connected],
        "pipelined subscribe": [Connected, Message],
        "auth good": [Connected, Error, Error, Error],
    }
    assert [type(event) for event in events] == kinds[name]
    assert not broker.is_closing()


def test_refused_by_the_old_broker(clock, broker_end):
    """A refused login ends the connection."""
    events = []
    broker = broker_end(StompProtocol(None, lambda protocol, event: events.append(event), clock))
    broker.protocol.dataReceived(said(TRACES["auth bad"], "S"))
    assert str(events[-1].reason) == "Invalid ID or password"
    assert broker.is_closing()
