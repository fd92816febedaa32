"""Where morbid and RabbitMQ differ, line by line, with the clause that decides.

The same bytes go to both. What both answer alike is in ``test_stomp_py``. The table is also
in ``documentation/reference/stomp.md``; a test there compares the two.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from tests.support.stomp_wire import SECONDS, Wire

pytestmark = pytest.mark.functional


@dataclass(frozen=True)
class Difference:
    """One line of the table.

    Attributes:
        what: was sent; a line of the documentation's table.
        clause: of the specification; or why both are right.
        version: of the connection.
        sent: bytes after CONNECT; ``@`` is a topic of the test's own.
        morbid: the answers in words, see ``Wire.answers``.
        rabbitmq: likewise, of RabbitMQ 3.10.
        look: looks elsewhere than at the answers; it is given the wire, what to send, and what
            may be seen.
    """

    what: str
    clause: str
    sent: bytes
    morbid: str
    rabbitmq: str
    version: str = "1.2"
    look: Callable[..., str] | None = None


def headers_of_error(wire: Wire, sent: bytes, *expected: str) -> str:
    """Whether the ERROR names the receipt that was asked for."""
    frame = wire.write(sent).frame()
    assert frame is not None
    assert frame.command == "ERROR"
    return frame.headers.get("receipt-id", "no receipt-id")


def headers_of_message(wire: Wire, sent: bytes, *expected: str) -> str:
    """The headers of the first MESSAGE that a subscriber gets, but for the broker's own."""
    topic = f"/topic/{uuid.uuid4().hex}"
    wire.subscribe(topic).write(sent.replace(b"@", topic.encode()))
    while (frame := wire.frame()) is not None:
        if frame.command == "MESSAGE":
            own = {"destination", "message-id", "subscription", "content-length"}
            return " ".join(f"{n}:{v}" for n, v in sorted(frame.headers.items()) if n not in own)
    return "closed"


def before_login(wire: Wire, sent: bytes, *expected: str) -> str:
    """The answers on a connection of its own, without a login."""
    with Wire(wire.socket.getpeername()[1]) as another:
        return another.write(sent).answers(*expected)


def bare_destination(wire: Wire, sent: bytes, *expected: str) -> str:
    """How many of two subscribers get one message."""
    name = uuid.uuid4().hex
    wire.subscribe(name, "1").subscribe(name, "2").write(sent.replace(b"@", name.encode()))
    return wire.answers(*expected)


def given_back(wire: Wire, sent: bytes, *expected: str) -> str:
    """What another subscription gets of a message that the first has left unacknowledged."""
    queue = f"/queue/{uuid.uuid4().hex}"
    wire.subscribe(queue, "1", ack="client").write(sent.replace(b"@", queue.encode()))
    assert wire.answers("MESSAGE, open") == "MESSAGE, open"
    wire.send("UNSUBSCRIBE", id="1").send("SUBSCRIBE", id="2", destination=queue)
    return wire.answers(*expected)


CLOSE = '1.2 "ERROR": the server "MUST then close the connection just after sending"'
LENGTH = '1.2 "Header content-length": "an octet count for the length of the message body"'
SEND = b"SEND\ndestination:/topic/a\n"

DIFFERENCES = [
    Difference(
        "a frame that gets an ERROR",
        CLOSE,
        b"COMMIT\ntransaction:never begun\n\n\0",
        "ERROR, closed",
        "ERROR, open",
    ),
    Difference(
        "a first frame that is not CONNECT",
        CLOSE,
        SEND + b"\n\0",
        "ERROR, closed",
        "ERROR, open",
        look=before_login,
    ),
    Difference(
        "`receipt` on a frame that gets an ERROR",
        '1.2 "ERROR": "the ERROR frame SHOULD set the receipt-id header"',
        b"COMMIT\ntransaction:never begun\nreceipt:r\n\n\0",
        "r",
        "no receipt-id",
        look=headers_of_error,
    ),
    Difference(
        "SUBSCRIBE without `id`, 1.1 and 1.2",
        '1.2 "SUBSCRIBE id Header": "an id header MUST be included in the frame"',
        b"SUBSCRIBE\ndestination:/topic/never\nreceipt:r\n\n\0",
        "ERROR, closed",
        "RECEIPT, open",
    ),
    Difference(
        "BEGIN of a transaction that is open",
        '1.2 "BEGIN": "different transactions MUST use different transaction identifiers"',
        b"BEGIN\ntransaction:t\n\n\0BEGIN\ntransaction:t\nreceipt:r\n\n\0",
        "ERROR, closed",
        "RECEIPT, open",
    ),
    Difference(
        "`receipt` on a SEND within a transaction",
        '1.2 "RECEIPT": "once a server has successfully processed a client frame"; '
        "processed can mean held or committed",
        b"BEGIN\ntransaction:t\n\n\0SEND\ndestination:/topic/a\ntransaction:t\nreceipt:r\n\n\0",
        "RECEIPT, open",
        "open",
    ),
    Difference(
        "a second CONNECT",
        '1.2 "ERROR": "The server MAY send ERROR frames if something goes wrong"; '
        "a closed connection alone says nothing",
        b"CONNECT\naccept-version:1.2\nhost:/\nlogin:guest\npasscode:guest\n\n\0",
        "ERROR, closed",
        "closed",
    ),
    Difference(
        "an undefined escape, 1.2",
        '1.2 "Value Encoding": "MUST be treated as a fatal protocol error"',
        SEND + b"x:\\t\nreceipt:r\n\n\0",
        "ERROR, closed",
        "closed",
    ),
    Difference(
        "the escape `\\r`, 1.1",
        '1.1 "Value Encoding" has `\\n`, `\\c` and `\\\\`; all others are undefined',
        SEND + b"x:\\r\nreceipt:r\n\n\0",
        "ERROR, closed",
        "RECEIPT, open",
        "1.1",
    ),
    Difference(
        "CR before LF, 1.1",
        '1.1 "Augmented BNF": a line ends with LF alone',
        b"SEND\r\ndestination:/topic/a\r\nreceipt:r\r\n\r\n\0",
        "ERROR, closed",
        "RECEIPT, open",
        "1.1",
    ),
    Difference(
        "a header line without a colon",
        '1.2 "Augmented BNF": header = name ":" value',
        SEND + b"nothing\n\n\0",
        "ERROR, closed",
        "closed",
    ),
    Difference(
        "`content-length:-1`", LENGTH, SEND + b"content-length:-1\n\nx\0", "ERROR, closed", "closed"
    ),
    Difference(
        "`content-length:+1`",
        LENGTH,
        SEND + b"content-length:+1\nreceipt:r\n\nx\0",
        "ERROR, closed",
        "RECEIPT, open",
    ),
    Difference(
        "a body longer than its `content-length`",
        LENGTH,
        SEND + b"content-length:1\n\nxyz\0",
        "ERROR, closed",
        "closed",
    ),
    Difference(
        "a body where there is none, 1.1 and 1.2",
        '1.2 "Body": "All other frames MUST NOT have a body"',
        b"BEGIN\ntransaction:t\nreceipt:r\n\nbody\0",
        "ERROR, closed",
        "RECEIPT, open",
    ),
    Difference(
        "`ack:client-individual`, 1.0",
        '1.0 "SUBSCRIBE" knows auto and client; client-individual came with 1.1',
        b"SUBSCRIBE\ndestination:/topic/a\nack:client-individual\nreceipt:r\n\n\0",
        "ERROR, closed",
        "RECEIPT, open",
        "1.0",
    ),
    Difference(
        "what a MESSAGE repeats of its SEND",
        '1.2 "MESSAGE": "all user-defined headers"; these are the protocol\'s, or secrets',
        b"SEND\ndestination:@\nreceipt:r\nlogin:l\npasscode:p\nack:a\nx:y\n\nbody\0",
        "x:y",
        "ack:a login:l passcode:p receipt:r redelivered:false x:y",
        look=headers_of_message,
    ),
    Difference(
        "what a MESSAGE repeats of a SEND in a transaction",
        '1.2 "MESSAGE": "all user-defined headers"; `transaction` is not',
        b"BEGIN\ntransaction:t\n\n\0SEND\ndestination:@\ntransaction:t\n\n\0"
        b"COMMIT\ntransaction:t\n\n\0",
        "",
        "redelivered:false transaction:t",
        look=headers_of_message,
    ),
    Difference(
        "a repeated header, 1.0",
        "1.0 does not say; the last counts, as in MorbidQ 0.8",
        b"SEND\ndestination:@\nx:1\nx:2\n\nbody\0",
        "x:2",
        "redelivered:false x:1",
        "1.0",
        headers_of_message,
    ),
    Difference(
        "a colon in a header, 1.0",
        "1.0 has no escapes: what a sender writes is what a receiver reads",
        b"SEND\ndestination:@\nx:a:b\n\nbody\0",
        "x:a:b",
        "redelivered:false x:a\\cb",
        "1.0",
        headers_of_message,
    ),
    Difference(
        "two subscriptions to a bare name, one SEND",
        '1.2 "SEND": what a destination means is the server\'s choice; '
        "a topic here, as in MorbidQ 0.8, a queue there",
        b"SEND\ndestination:@\n\nbody\0",
        "MESSAGE, MESSAGE, open",
        "MESSAGE, open",
        look=bare_destination,
    ),
    Difference(
        "an unacknowledged message, after UNSUBSCRIBE",
        '1.2 "UNSUBSCRIBE" does not say; it goes to others at once here, '
        "with the end of the connection there",
        b"SEND\ndestination:@\n\nbody\0",
        "MESSAGE, open",
        "open",
        look=given_back,
    ),
]


def seen(port: int, line: Difference, *expected: str) -> str:
    """What a broker makes of it, which is one of these."""
    with Wire(port, line.version).connect() as wire:
        if line.look is not None:
            return line.look(wire, line.sent, *expected)
        return wire.write(line.sent).answers(*expected)


def by_what(line: Difference) -> str:
    """The name of a line."""
    return line.what


@pytest.mark.parametrize("line", DIFFERENCES, ids=by_what)
def test_morbid(broker_process, line):
    """morbid does what the clause says."""
    assert seen(broker_process.port, line, line.morbid) == line.morbid


@pytest.mark.parametrize("line", DIFFERENCES, ids=by_what)
def test_rabbitmq(rabbitmq_port, line):
    """RabbitMQ 3.10 does the other thing; a newer one may do as morbid does."""
    with Wire(rabbitmq_port) as wire:
        wire.send("CONNECT", accept_version="1.2", host="/", login="guest", passcode="guest")
        frame = wire.frame(SECONDS)
    assert frame is not None
    is_known = frame.headers["server"].startswith("RabbitMQ/3.10.")
    expected = {line.rabbitmq} if is_known else {line.rabbitmq, line.morbid}
    assert seen(rabbitmq_port, line, *expected) in expected
