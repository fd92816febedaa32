"""Bytes that mean harm, against a real broker: it says what its table says, and goes on."""

from __future__ import annotations

import contextlib
import resource
import socket
from pathlib import Path

import pytest

from morbid.limits import Limits
from tests.support.stomp_wire import Wire

pytestmark = pytest.mark.functional

LIMITS = Limits()
CONNECT = b"CONNECT\naccept-version:1.2\nhost:/\n\n\0"
SEND = b"SEND\ndestination:/topic/a\n"

GARBAGE = {
    "HTTP": b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    "NULs": bytes(100),
    "a byte order mark": b"\xef\xbb\xbfCONNECT\n\n\0",
    "a blank before the command": b" CONNECT\n\n\0",
    "lower case": b"connect\n\n\0",
    "CR alone": b"CONNECT\r\r\0",
    "no blank line": b"CONNECT\n\0",
    "a long word": b"A" * 100,
}

# What is sent after CONNECT, and the code of the ERROR that comes.
ATTACKS: dict[str, tuple[bytes, str]] = {
    "content-length -1": (SEND + b"content-length:-1\n\nx\0", "malformed-frame"),
    "content-length +5": (SEND + b"content-length:+5\n\nhello\0", "malformed-frame"),
    "content-length 5_0": (SEND + b"content-length:5_0\n\nx\0", "malformed-frame"),
    "content-length 1e3": (SEND + b"content-length:1e3\n\nx\0", "malformed-frame"),
    "content-length 0x5": (SEND + b"content-length:0x5\n\nhello\0", "malformed-frame"),
    "content-length of no digits": (SEND + b"content-length:\n\n\0", "malformed-frame"),
    "content-length with a blank": (SEND + b"content-length: 1\n\nx\0", "malformed-frame"),
    "content-length in other digits": (
        SEND + "content-length:\N{ARABIC-INDIC DIGIT ONE}\n\nx\0".encode(),
        "malformed-frame",
    ),
    "content-length of 5,000 digits": (
        SEND + b"content-length:" + b"9" * 5_000 + b"\n\n",
        "malformed-frame",
    ),
    "content-length of 18 digits": (
        SEND + b"content-length:" + b"9" * 18 + b"\n\n",
        "frame-too-large",
    ),
    "content-length too small": (SEND + b"content-length:1\n\nxyz\0", "malformed-frame"),
    "NUL among the headers": (b"SEND\ndestination:/a\0b\n\n\0", "malformed-frame"),
    "two CRs before LF": (b"SEND\r\r\ndestination:/topic/a\n\n\0", "malformed-frame"),
    "a backslash at the end": (SEND + b"x:\\\n\n\0", "malformed-frame"),
    "a line without a colon": (SEND + b"nothing\n\n\0", "malformed-frame"),
    "a line without a name": (SEND + b":x\n\n\0", "malformed-frame"),
    "a body of BEGIN": (b"BEGIN\ntransaction:t\n\nbody\0", "malformed-frame"),
    "many headers": (
        b"SEND\n" + b"".join(b"%d:x\n" % i for i in range(LIMITS.max_headers + 1)),
        "frame-too-large",
    ),
    "a long header": (
        b"SEND\nx:" + b"y" * LIMITS.max_header_line_bytes,
        "frame-too-large",
    ),
    "a long head": (
        b"SEND\n" + b"".join(b"%d:%s\n" % (i, b"v" * 5_000) for i in range(20)),
        "frame-too-large",
    ),
    "an endless body": (SEND + b"\n" + b"x" * (LIMITS.max_body_bytes + 1), "frame-too-large"),
    "no destination": (b"SEND\ndestination:\n\n\0", "missing-header"),
    "no id": (b"SUBSCRIBE\ndestination:/topic/a\nid:\n\n\0", "missing-header"),
    "an unknown ack mode": (b"SUBSCRIBE\ndestination:/a\nid:0\nack:no\n\n\0", "bad-header"),
    "the same id again": (b"SUBSCRIBE\ndestination:/a\nid:0\n\n\0" * 2, "subscription-exists"),
    "a distributor": (b"SUBSCRIBE\ndestination:/pubsub/a\nid:0\n\n\0", "not-subscribable"),
    "a broker's frame": (b"MESSAGE\ndestination:/topic/a\n\n\0", "unknown-command"),
    "a name of Python": (b"__CLASS__\n\n\0", "malformed-frame"),
    "a second CONNECT": (CONNECT, "already-connected"),
    "ACK of nothing": (b"ACK\nid:1\n\n\0", "unknown-message"),
    "ACK with a number that is none": (b"ACK\nid:1-\xd9\xa3\n\n\0", "unknown-message"),
    "COMMIT of nothing": (b"COMMIT\ntransaction:t\n\n\0", "unknown-transaction"),
    "many transactions": (
        b"".join(b"BEGIN\ntransaction:%d\n\n\0" % i for i in range(LIMITS.max_transactions + 1)),
        "too-many-transactions",
    ),
    "a transaction of many frames": (
        b"BEGIN\ntransaction:t\n\n\0"
        + (SEND + b"transaction:t\n\n\0") * (LIMITS.max_transaction_frames + 1),
        "transaction-too-large",
    ),
    "many subscriptions": (
        b"".join(
            b"SUBSCRIBE\nid:%d\ndestination:/topic/%d\n\n\0" % (i, i)
            for i in range(LIMITS.max_subscriptions + 1)
        ),
        "too-many-subscriptions",
    ),
}

FLOODS = {
    "LF": (b"\n" * 65_536, 160),
    "CR LF": (b"\r\n" * 32_768, 160),
    "headers before the login": (b"CONNECT\n" + b"a:b\n" * 16_384, 100),
    "a body without an end": (CONNECT + SEND + b"\n" + b"x" * 10_000_000, 1),
    "NULs after the login": (CONNECT + bytes(10_000_000), 1),
    "frames that nobody gets": (CONNECT + (SEND + b"\nx\0") * 50_000, 1),
}


def memory_kb(pid: int) -> int:
    """Resident memory of a process."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS"))


def code_and_end(wire: Wire) -> str:
    """The code of the ERROR that comes, after which the connection must end."""
    frame = wire.frame()
    assert frame is not None
    assert frame.command == "ERROR"
    assert b"Traceback" not in frame.body
    assert wire.frame() is None
    return frame.headers["code"]


@pytest.mark.parametrize("sent", GARBAGE.values(), ids=GARBAGE)
def test_garbage(broker_process, sent):
    """What is not STOMP gets an ERROR at once, and the connection ends."""
    with Wire(broker_process.port) as wire:
        assert code_and_end(wire.write(sent)) == "malformed-frame"


@pytest.mark.parametrize(("sent", "code"), ATTACKS.values(), ids=ATTACKS)
def test_attacks(broker_process, sent, code):
    """Each attack after the login gets its own code, and the connection ends."""
    with Wire(broker_process.port).connect() as wire:
        assert code_and_end(wire.write(sent)) == code


@pytest.mark.parametrize(("sent", "times"), FLOODS.values(), ids=FLOODS)
def test_floods(broker_process, sent, times):
    """Ten megabytes of nothing cost neither time nor memory, and others are served."""
    before = memory_kb(broker_process.process.pid)
    with Wire(broker_process.port) as flood:
        for _ in range(times):
            flood.write(sent)
        with Wire(broker_process.port).connect() as wire:
            wire.subscribe("/topic/served").send("SEND", b"x", destination="/topic/served")
            frame = wire.frame()
            assert frame is not None
            assert frame.body == b"x"
    assert memory_kb(broker_process.process.pid) - before < 20_000


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"CONN",
        b"CONNECT\naccept-version:1.2\n",
        CONNECT,
        CONNECT + b"SEND\ndestination:/queue/vanished\n\nhalf a bo",
        CONNECT + b"SUBSCRIBE\nid:0\ndestination:/topic/vanished\n\n\0",
        CONNECT + b"BEGIN\ntransaction:t\n\n\0SEND\ndestination:/queue/v\ntransaction:t\n\nx\0",
        CONNECT + b"DISCONNECT\n\n\0",
        CONNECT + b"nonsense",
    ],
)
def test_vanishing_in_every_state(broker_process, sent):
    """A connection may go, or be reset, at any moment: nothing of it stays."""
    for linger in (b"", b"\1\0\0\0\0\0\0\0"):
        with contextlib.closing(socket.create_connection(("127.0.0.1", broker_process.port))) as s:
            if linger:  # close with RST
                s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            s.sendall(sent)
    with Wire(broker_process.port).connect() as wire:
        wire.subscribe("/queue/vanished").subscribe("/queue/v", "1")
        assert wire.answers("open") == "open"


def test_a_thousand_at_once(broker_process):
    """A thousand connections at once are all served, and get the same message."""
    soft_limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    count = min(1_000, soft_limit - 124)
    with contextlib.ExitStack() as stack:
        wires = [stack.enter_context(Wire(broker_process.port)) for _ in range(count)]
        for wire in wires:
            wire.write(CONNECT + b"SUBSCRIBE\nid:0\ndestination:/topic/all\nreceipt:r\n\n\0")
        for wire in wires:
            assert [wire.frame().command for _ in "12"] == ["CONNECTED", "RECEIPT"]
        wires[0].send("SEND", b"to all", destination="/topic/all")
        assert {wire.frame().body for wire in wires} == {b"to all"}
