"""The requests of one connection, one at a time; a core without I/O.

::

            first byte         whole head             whole body
    IDLE ------------> HEAD --------------> BODY ------------------> ANSWERING
     ^                   |                    |                          |
     |                   +---- rule broken, --+                          | answered()
     |                         bound or time passed --> REFUSED          |
     +-------------------------------------------------------------------+

What comes while a request is answered waits in ``buffered_bytes``; the shell stops reading when
that is too much. Events are what was read: a ``Head``, then ``bytes`` of its body, then
``Signal.END``. After a ``RequestError``, or ``Signal.IDLE``, nothing follows.
"""

import enum
import re
from collections.abc import Callable

from orbited.edge.body import ChunkedBody
from orbited.edge.head import Head, HeadParser
from orbited.errors import RequestError
from orbited.protocol.settings import RequestLimits

__all__ = ["Event", "RequestReader", "Signal", "State"]


class State(enum.Enum):
    """What is expected next."""

    IDLE = "the first byte of a request"
    HEAD = "the rest of a head"
    BODY = "the rest of a body"
    ANSWERING = "nothing, until the request is answered"
    REFUSED = "nothing any more"


class Signal(enum.Enum):
    """Events that say nothing else."""

    END = "the request is complete"
    IDLE = "nothing was asked for too long"


Event = Head | bytes | Signal | RequestError

TOO_LARGE = "The body is larger than this server takes."
TOO_SLOW = "The request did not arrive in time."
BARE_LINE_END = "The lines of a head end with CR LF."

_EMPTY_LINES = re.compile(rb"(?:\r\n)+")


class RequestReader:
    """Reads requests.

    Args:
        max_body_bytes: the largest body, by the path of the request.

    Attributes:
        state: what is expected next; while that is a first byte, none waits, and a shell that
            knows a request without reading it may go on to ``ANSWERING``, and back.
        deadline: when time runs out, where ``next_deadline`` does not know better.
    """

    __slots__ = (
        "_body",
        "_body_left",
        "_buffer",
        "_events",
        "_heads",
        "_limits",
        "_max_body_bytes",
        "_received",
        "_to_send",
        "deadline",
        "state",
    )

    def __init__(
        self, limits: RequestLimits, max_body_bytes: Callable[[bytes], int], now: float
    ) -> None:
        self._limits = limits
        self._max_body_bytes = max_body_bytes
        self._heads = HeadParser(limits.header_count)
        self._buffer = b""
        self._events: list[Event] | None = None  # while there are any
        self._to_send = b""
        self._body: ChunkedBody | None = None
        self._body_left = 0  # of its length; of the bound when it is chunked
        self._received = 0
        self.state = State.IDLE
        self.deadline: float | None = now + limits.header_seconds

    # -- the five verbs -------------------------------------------------------------------------

    def receive_data(self, data: bytes, now: float) -> None:
        """Take bytes of the connection; what is wrong with them is an event."""
        state = self.state
        if state is State.REFUSED:
            return
        try:
            if state is State.BODY:
                self._receive_body(data, now)
            else:
                self._buffer = self._buffer + data if self._buffer else data
                if state is not State.ANSWERING:
                    self._read_head(now)
        except RequestError as error:
            self._end(error)

    def take_request(self, data: bytes) -> tuple[Head, bytes] | None:
        """Read a whole request with headers that are known, and nothing beside it: head and body.

        The hot path: what a browser says again and again comes in one piece. None means nothing:
        ``receive_data`` then looks at the same bytes. Else the request is to be answered.
        """
        if self.state is not State.IDLE or self._buffer:
            return None
        limits = self._limits
        end = data.find(b"\r\n\r\n", 0, limits.header_bytes) + 4
        if end < 4:
            return None
        head = self._heads.parse_known(data, end, limits.request_line_bytes)
        if head is None or head.length != len(data) - end or head.expects_continue:
            return None
        if head.length and head.length > self._max_body_bytes(head.path):
            return None
        self.state = State.ANSWERING
        return head, data[end:]

    def events_received(self) -> list[Event]:
        """Take what was read."""
        events, self._events = self._events, None
        return events or []

    def data_to_send(self) -> bytes:
        """Take what has to be sent before the answer: ``100 Continue``, or nothing."""
        data, self._to_send = self._to_send, b""
        return data

    def next_deadline(self) -> float | None:
        """When ``tick`` has something to do; it may move further away without notice."""
        if self.state is State.ANSWERING:
            return None
        if self.state is State.BODY:
            assert self.deadline is not None
            return self.deadline + self._received / self._limits.body_bytes_per_second
        return self.deadline

    def tick(self, now: float) -> None:
        """Time has passed."""
        deadline = self.next_deadline()
        if deadline is None or now < deadline:
            return
        if self.state is State.IDLE:
            self._end(Signal.IDLE)
        else:
            self._end(RequestError(408, TOO_SLOW))

    # -- what the shell says --------------------------------------------------------------------

    @property
    def buffered_bytes(self) -> int:
        """How much came that cannot be looked at yet."""
        return len(self._buffer)

    def answered(self, now: float) -> bool:
        """The request is answered; the next one may be read.

        Returns:
            Whether something of it was there already, so that there may be events.
        """
        self.state = State.IDLE
        self.deadline = now + self._limits.keep_alive_seconds
        if not self._buffer:
            return False
        try:
            self._read_head(now)
        except RequestError as error:
            self._end(error)
        return True

    def forget_headers(self) -> None:
        """This request lasts: keep nothing that would only help to read the next one."""
        self._heads.forget()

    def forget_headers_of(self, head: Head) -> None:
        """Requests with these headers are known in another way."""
        self._heads.forget_those_of(head)

    def take_rest(self) -> bytes:
        """Give what followed the request, to whom the connection goes now; nothing more is read."""
        rest, self._buffer = self._buffer, b""
        self.state, self.deadline = State.REFUSED, None
        return rest

    # -- the parts of a request -----------------------------------------------------------------

    def _read_head(self, now: float) -> None:
        """Read a head and what is there of its body, if it is all in the buffer."""
        buffer, limits = self._buffer, self._limits
        if buffer.startswith(b"\r\n"):
            # RFC 9112, 2.2: empty lines before a request are ignored; some send one behind a body.
            self._buffer = buffer = _EMPTY_LINES.sub(b"", buffer, 1)
            if not buffer:
                return
        end = buffer.find(b"\r\n\r\n")
        if end < 0 or end > limits.header_bytes:
            self._check_partial_head(buffer[: limits.header_bytes + 1])
            if self.state is State.IDLE:
                self.state = State.HEAD
                self.deadline = now + limits.header_seconds
            return
        end += 4
        head_bytes = buffer[:end]
        self._check_size(head_bytes)
        self._begin(self._heads.parse(head_bytes), buffer[end:], now)

    def _check_partial_head(self, buffer: bytes) -> None:
        """Find out as early as possible that this is not going to be a head."""
        if not buffer[:1].isalnum() and buffer != b"\r":
            raise RequestError(400, "This does not begin like a request.")
        if buffer.count(b"\n") != buffer.count(b"\r\n"):
            raise RequestError(400, BARE_LINE_END)
        self._check_size(buffer)

    def _check_size(self, buffer: bytes) -> None:
        limits = self._limits
        line_end = buffer.find(b"\r")
        if (line_end if line_end >= 0 else len(buffer)) > limits.request_line_bytes:
            raise RequestError(414, "The request line is longer than this server takes.")
        if len(buffer) > limits.header_bytes:
            raise RequestError(431, "The headers are larger than this server takes.")

    def _begin(self, head: Head, rest: bytes, now: float) -> None:
        """Go on to the body, which is there already in most cases."""
        length = head.length
        if length == 0:
            self._tell(head, Signal.END)
            self._buffer = rest
            self.state = State.ANSWERING
            return
        self._tell(head)
        limit = self._max_body_bytes(head.path)
        if length is None:
            self._body = ChunkedBody(self._limits.chunk_line_bytes, self._limits.header_bytes)
            self._body_left = limit
        elif length > limit:
            raise RequestError(413, TOO_LARGE)
        else:
            self._body_left = length
        if head.expects_continue and not rest:
            self._to_send = b"HTTP/1.1 100 Continue\r\n\r\n"
        self._buffer = b""
        self._received = 0
        self.state, self.deadline = State.BODY, now + self._limits.body_seconds
        if rest:
            self._receive_body(rest, now)

    def _receive_body(self, data: bytes, now: float) -> None:
        self._received += len(data)
        if self._body is not None:
            self._receive_chunks(self._body, data)
            return
        left = self._body_left
        if len(data) < left:
            self._body_left = left - len(data)
            self._tell(data)
        else:
            self._tell(data[:left], Signal.END)
            self._buffer = data[left:]
            self.state = State.ANSWERING

    def _receive_chunks(self, body: ChunkedBody, data: bytes) -> None:
        for piece in body.receive_data(data):
            self._body_left -= len(piece)
            if self._body_left < 0:
                raise RequestError(413, TOO_LARGE)
            self._tell(piece)
        if body.is_complete:
            self._buffer, self._body = body.rest, None
            self._tell(Signal.END)
            self.state = State.ANSWERING

    def _tell(self, *events: Event) -> None:
        if self._events is None:
            self._events = []
        self._events += events

    # -- the end --------------------------------------------------------------------------------

    def _end(self, event: Event) -> None:
        self._tell(event)
        self.state, self.deadline = State.REFUSED, None
        self._buffer, self._body = b"", None
