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

REMEMBERED_CHARACTERS: Final = 1_024
"""Header lines longer than this are encoded anew each time, so that memory is bounded."""


class Message:
    """What was sent, and what it looks like to its receivers.

    Attributes:
        destination: where it goes.
        id: its ``message-id``, unique over restarts.
        headers: those of the sender that are passed on, not escaped.
        body: bytes, as sent.
        announces_length: whether the sender gave a ``content-length``.
    """

    __slots__ = ("_heads", "announces_length", "body", "destination", "headers", "id")

    def __init__(
        self, destination: str, message_id: str, headers: Mapping[str, str], body: bytes
    ) -> None:
        self.destination = destination
        self.id = message_id
        self.headers = {
            name: value for name, value in headers.items() if name not in RESERVED_HEADERS
        }
        self.body = body
        self.announces_length = "content-length" in headers
        self._heads: dict[str, bytes] = {}

    @property
    def size_bytes(self) -> int:
        """About how much memory this message takes while it waits in a queue."""
        texts = sum(len(name) + len(value) for name, value in self.headers.items())
        return HEADER_OVERHEAD_BYTES + len(self.body) + texts

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
        head = self._heads.get(version)
        if head is None:
            head = self._heads[version] = self._build_head(version)
        return b"".join((head, lines, b"\n", self.body, b"\0\n"))

    def _build_head(self, version: str) -> bytes:
        body, own = self.body, _destination_line(self.destination, version)
        # Clients of ActiveMQ's 1.0 days take a body without a length for text: the
        # sender decides. Later versions want the length on every body.
        if self.announces_length or (body and version != V10):
            length = b"content-length:%d\n" % len(body)
        else:
            length = b""
        id = self.id.encode("ascii")  # Ours, so that there is nothing to escape.
        users = _user_lines(self.headers, version) if self.headers else b""
        return b"MESSAGE\n%bmessage-id:%b\n%b%b" % (own, id, length, users)


def _destination_line(destination: str, version: str) -> bytes:
    headers = (("destination", destination),)
    if len(destination) > REMEMBERED_CHARACTERS:
        return encode_headers(headers, version, lossy=True)
    return remembered_lines(headers, version)


def _user_lines(headers: Mapping[str, str], version: str) -> bytes:
    pairs = tuple(headers.items())
    if sum([len(name) + len(value) for name, value in pairs]) > REMEMBERED_CHARACTERS:
        return encode_headers(pairs, version, lossy=True)
    return remembered_lines(pairs, version)


@lru_cache(maxsize=1_024)
def remembered_lines(headers: tuple[tuple[str, str], ...], version: str) -> bytes:
    """Encode short header lines: a sender mostly says the same again, to the same destination."""
    return encode_headers(headers, version, lossy=True)
