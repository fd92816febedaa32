r"""One message on its way through the broker, and the bytes it becomes.

::

    MESSAGE\n destination:...\n message-id:...\n user headers, content-length
    subscription:7\n  ack:...\n  redelivered:true\n
    \n  body  \0\n

The first line of the picture is the *head*. It is built once for each version of
STOMP in use among the receivers; only the second line differs between them. Topics
hand the very same bytes object to all receivers whose second line is equal, so that
whatever encodes further behind us (base64, WebSocket) can do it once, too.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Final

from stompservice.protocol import V10, encode_headers
from stompservice.protocol.plain import SharedHeaders

RESERVED_HEADERS: Final = frozenset(
    {
        "destination",
        "message-id",
        "subscription",
        "ack",
        "redelivered",
        "content-length",
        "receipt",
        "transaction",
        "login",
        "passcode",
    }
)
"""Headers of a SEND that are not passed on: the broker's own, or nobody else's business."""

HEADER_OVERHEAD_BYTES: Final = 128
"""What a message in a queue costs beside its body and header texts, roughly."""


REMEMBERED_FORMS: Final = 16
"""For how many forms of subscriptions the surroundings of a body are kept, for each headers."""

REMEMBERED_CHARACTERS: Final = 1_024
"""Destinations longer than this are encoded anew each time, so that memory is bounded."""


class SentHeaders:
    """What the headers of a SEND become; made once for all messages that have the same ones.

    Attributes:
        passed_on: those that receivers get, not escaped.
        announces_length: whether the sender gave a ``content-length``.
        size_bytes: about how much memory their texts take.
        free_destination: where they go, if nothing but publishing is asked for; else empty.
        cuts: by the form of a subscription: a destination, the length of a body, and what stands
            before the message's id and between that and the body.
    """

    __slots__ = ("_destination", "_lines", "announces_length", "cuts", "free_destination",
                 "passed_on", "size_bytes")  # fmt: skip

    def __init__(self, headers: Mapping[str, str]) -> None:
        self.passed_on = {
            name: value for name, value in headers.items() if name not in RESERVED_HEADERS
        }
        self.announces_length = "content-length" in headers
        self.size_bytes = sum([len(name) + len(value) for name, value in self.passed_on.items()])
        asks_more = "receipt" in headers or "transaction" in headers
        self.free_destination = "" if asks_more else headers.get("destination", "")
        self._destination = ""  # whose lines are remembered
        self._lines: dict[str, tuple[bytes, bytes]] = {}
        self.cuts: dict[str, tuple[str, int, bytes, bytes]] = {}

    def lines(self, destination: str, version: str) -> tuple[bytes, bytes]:
        """Encode the line of the destination, and those that are passed on."""
        if destination != self._destination:  # a pubsub hands on what was sent to another
            self._destination = destination
            self._lines.clear()
        lines = self._lines.get(version)
        if lines is None:
            users = encode_headers(self.passed_on, version, lossy=True) if self.passed_on else b""
            lines = self._lines[version] = _destination_line(destination, version), users
        return lines


class Message:
    """What was sent, and what it looks like to its receivers.

    Attributes:
        destination: where it goes.
        id: its ``message-id``, unique over restarts.
        body: bytes, as sent.
    """

    __slots__ = ("_heads", "_sent", "body", "destination", "id")

    def __init__(
        self, destination: str, message_id: str, headers: Mapping[str, str], body: bytes
    ) -> None:
        self.destination = destination
        self.id = message_id
        self.body = body
        self._heads: dict[str, bytes] | None = None
        if type(headers) is SharedHeaders:
            sent = headers.memo
            if sent is None:
                sent = headers.memo = SentHeaders(headers)
            self._sent: SentHeaders = sent
        else:
            self._sent = SentHeaders(headers)

    @property
    def headers(self) -> dict[str, str]:
        """Those of the sender that are passed on, not escaped."""
        return self._sent.passed_on

    @property
    def announces_length(self) -> bool:
        """Whether the sender gave a ``content-length``."""
        return self._sent.announces_length

    @property
    def size_bytes(self) -> int:
        """About how much memory this message takes while it waits in a queue."""
        return HEADER_OVERHEAD_BYTES + len(self.body) + self._sent.size_bytes

    def headers_as_sent(self) -> dict[str, str]:
        """Headers to publish the same message with once more, elsewhere."""
        if self.announces_length:
            return self.headers | {"content-length": str(len(self.body))}
        return self.headers

    def frame(self, version: str, lines: bytes = b"") -> bytes:
        """Build the MESSAGE frame.

        Args:
            version: of the receiver's connection.
            lines: encoded header lines for this receiver: ``subscription``, ``ack``...
        """
        heads = self._heads
        if heads is None:
            heads = self._heads = {}
        head = heads.get(version)
        if head is None:
            head = heads[version] = self._build_head(version)
        return b"%b%b\n%b\0\n" % (head, lines, self.body)

    def topic_frame(self, form: str, version: str, lines: bytes) -> bytes:
        """Build the same for subscriptions of one form, whose lines are the same each time.

        The hot path: where the sender announces the length, all but id and body is ready.
        """
        sent, id, body = self._sent, self.id.encode("ascii"), self.body
        cut = sent.cuts.get(form)
        if cut is None or cut[1] != len(body) or cut[0] != self.destination:
            if not sent.announces_length:
                return self.frame(version, lines)
            own, users = sent.lines(self.destination, version)
            before = b"MESSAGE\n%bmessage-id:" % own
            after = b"\ncontent-length:%d\n%b%b\n" % (len(body), users, lines)
            if len(sent.cuts) >= REMEMBERED_FORMS:
                sent.cuts.clear()
            cut = sent.cuts[form] = (self.destination, len(body), before, after)
        return b"".join((cut[2], id, cut[3], body, b"\0\n"))

    def _build_head(self, version: str) -> bytes:
        sent, size = self._sent, len(self.body)
        own, users = sent.lines(self.destination, version)
        id = self.id.encode("ascii")  # Ours, so that there is nothing to escape.
        # Clients of ActiveMQ's 1.0 days take a body without a length for text: the
        # sender decides. Later versions want the length on every body.
        if sent.announces_length or (size and version != V10):
            return b"MESSAGE\n%bmessage-id:%b\ncontent-length:%d\n%b" % (own, id, size, users)
        return b"MESSAGE\n%bmessage-id:%b\n%b" % (own, id, users)


def _destination_line(destination: str, version: str) -> bytes:
    if len(destination) > REMEMBERED_CHARACTERS:
        return encode_headers((("destination", destination),), version, lossy=True)
    return remembered_line(destination, version)


@lru_cache(maxsize=1_024)
def remembered_line(destination: str, version: str) -> bytes:
    """Encode the line of a destination; most messages go where others went before."""
    return encode_headers((("destination", destination),), version, lossy=True)
