"""One request and its answer, on a connection of the edge."""

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_to_bytes

from twisted.internet.interfaces import IPushProducer
from twisted.python.failure import Failure

from orbited.edge.again import Take
from orbited.edge.answer import STATUS_LINES, has_body, header_block
from orbited.edge.head import Head
from orbited.edge.shared import SharedAnswer
from orbited.http import COMMON_HEADERS, Exchange, Headers, Responder, chunk
from orbited.protocol.addresses import browser_address
from orbited.protocol.shared import SharedFrame

if TYPE_CHECKING:
    from orbited.edge.connection import EdgeConnection

__all__ = ["EdgeExchange"]

_TEXT = ("Content-Type", "text/plain; charset=utf-8")


@functools.lru_cache(256)
def _field_name(name: str) -> bytes:
    """A header's name as heads keep it."""
    return name.lower().encode("latin-1")


@functools.lru_cache(256)
def _reply_block(headers: tuple[tuple[str, str], ...]) -> bytes:
    """The headers of a whole answer, beside its length."""
    return header_block((_TEXT, *COMMON_HEADERS, *headers))


_METHODS = {b"GET": "GET", b"POST": "POST"}


class _Both:
    """Two callbacks, one after the other."""

    __slots__ = ("_first", "_second")

    def __init__(self, first: Callable[[], None], second: Callable[[], None]) -> None:
        self._first = first
        self._second = second

    def __call__(self) -> None:
        self._first()
        self._second()


class _Memo:
    """What follows from the headers of a request on this connection, kept beside them."""

    __slots__ = ("address", "note", "scheme")

    def __init__(self, address: str, scheme: str) -> None:
        self.address = address
        self.scheme = scheme
        self.note: Any = None


class EdgeExchange(Exchange):
    """A request whose body comes in, and then its answer.

    Args:
        path: the segments below where the responder is mounted.
        respond: is asked once the whole body is there.
    """

    __slots__ = (
        "_body",
        "_connection",
        "_head",
        "_is_chunked",
        "_left",
        "_lost",
        "_pending",
        "_respond",
        "_shared",
        "_shared_for",
        "_status",
        "_takes_body",
    )

    def __init__(
        self,
        connection: "EdgeConnection",
        head: Head,
        path: tuple[str, ...],
        respond: Responder,
    ) -> None:
        self._connection: EdgeConnection | None = connection
        self._head = head
        self._respond = respond
        self._body: list[bytes] | None = None  # most have none
        self._lost: Callable[[], None] | None = None
        self._status = 0
        self._pending = b""  # the head of the answer, until something follows it
        self._is_chunked = False
        self._left: int | None = None  # of the length that was announced
        self._takes_body = True
        self._shared: SharedAnswer | None = None
        self._shared_for: Headers = ()
        self.method = _METHODS.get(head.method) or head.method.decode("latin-1")
        self.path = path
        memo = head.headers.memo
        if memo is None:
            memo = head.headers.memo = _Memo(*self._client(connection))
        self.address = memo.address
        self.scheme = memo.scheme

    def _client(self, connection: "EdgeConnection") -> tuple[str, str]:
        """Address and scheme, by the connection or by a proxy that is trusted."""
        address, scheme = connection.address, connection.scheme
        trusted = connection.factory.trusted_proxies
        if address in trusted:
            forwarded = self.header("x-forwarded-for") or ""
            address = browser_address(address, forwarded, trusted)
            proto = self.header("x-forwarded-proto")
            scheme = proto if proto in ("http", "https") else scheme
        return address, scheme

    # -- the connection calls these -------------------------------------------------------------

    @property
    def status(self) -> int:
        """Of the answer; 0 before it has begun."""
        return self._status

    def receive_body(self, data: bytes) -> None:
        """A piece of the body came."""
        if self._body is None:
            self._body = [data]
        else:
            self._body.append(data)

    def complete(self) -> None:
        """The whole body is there."""
        self._respond(self)

    def fail(self) -> None:
        """The responder raised something: answer so, or end an answer that has begun."""
        connection = self._connection
        if connection is None:
            return
        if self._status:
            connection.abort()
        else:
            self.reply(500, "Something is wrong on this server.\n")

    def lose(self, reason: Failure) -> None:
        """The connection is gone."""
        self._connection = None
        callback, self._lost = self._lost, None
        if callback is not None:
            callback()

    # -- the request ----------------------------------------------------------------------------

    @property
    def body(self) -> bytes:
        """The whole body."""
        body = self._body
        if body is None:
            return b""
        return body[0] if len(body) == 1 else b"".join(body)

    @property
    def target(self) -> str:
        """Path and query of the request line."""
        return self._head.target.decode("latin-1")

    def argument(self, name: str) -> str | None:
        """The last value of that name in the query."""
        query = self._head.query
        if not query:
            return None
        found = None
        wanted = name.encode("latin-1")
        if query.startswith(wanted + b"=") and query[len(wanted) + 1 :].isalnum():
            return query[len(wanted) + 1 :].decode("ascii")  # alone, and plain
        for pair in query.split(b"&"):
            key, _, value = pair.partition(b"=")
            if key == wanted or (b"%" in key and unquote_to_bytes(key) == wanted):
                found = value
        if found is None:
            return None
        if b"%" in found or b"+" in found:
            found = unquote_to_bytes(found.replace(b"+", b" "))
        return found.decode("latin-1")

    def header(self, name: str) -> str | None:
        """The last header of that name."""
        value = self._head.fields.get(_field_name(name))
        return value.decode("latin-1") if value is not None else None

    def header_items(self) -> list[tuple[str, str]]:
        """All headers."""
        return [
            (name.decode("latin-1"), value.decode("latin-1")) for name, value in self._head.items
        ]

    @property
    def note(self) -> Any:
        """What a responder has noted when these headers came before on this connection."""
        memo = self._head.headers.memo
        return memo.note if memo is not None else None

    @note.setter
    def note(self, note: Any) -> None:
        memo = self._head.headers.memo
        if memo is not None:
            memo.note = note

    def on_lost(self, callback: Callable[[], None]) -> None:
        """Call back if the connection goes away first."""
        before = self._lost
        self._lost = callback if before is None else _Both(before, callback)

    def settle(self) -> None:
        """Keep neither headers nor path."""
        if self._connection is not None:
            self._head = self._connection.forget_headers() or self._head
            self.path = ()

    def again(self, take: Take) -> None:
        """Have the connection know this request when it comes again."""
        if self._connection is not None:
            self._head = self._connection.remember(self, self._head, take)

    def renew(self, connection: "EdgeConnection", body: bytes) -> None:
        """The request has come again, as ``again`` tells; its target is that of the first."""
        self._connection = connection
        self._body = [body] if body else None
        self._status = 0

    def withdraw(self) -> None:
        """It is not to be answered here after all."""
        self._connection = None

    # -- the answer -----------------------------------------------------------------------------

    def start(self, status: int, headers: Headers, length: int | None = None) -> None:
        """Begin the answer."""
        self._start(status, header_block(tuple(headers)), length)

    def _start(self, status: int, headers: bytes, length: int | None) -> None:
        connection, head = self._connection, self._head
        self._status = status
        if connection is None:
            return
        framing = b""
        if not has_body(status, head.method):
            self._takes_body = False
            if length is not None and head.method == b"HEAD":
                framing = b"Content-Length: %d\r\n" % length
        elif length is not None:
            self._left = length
            framing = b"Content-Length: %d\r\n" % length
        elif head.is_http_1_1:
            self._is_chunked = True
            self.settle()
            framing = b"Transfer-Encoding: chunked\r\n"
        else:
            connection.keeps_alive = False  # the end of the connection is the end of the answer
        self._pending = b"%b%b%b%b%b\r\n" % (
            STATUS_LINES[status],
            connection.date_line(),
            headers,
            framing,
            b"" if connection.keeps_alive else b"Connection: close\r\n",
        )

    def write(self, data: bytes) -> None:
        """Send bytes of the body."""
        connection = self._connection
        if connection is None:
            return
        if self._is_chunked:
            if data:  # an empty chunk would end the answer
                data = chunk(data)
        elif not self._takes_body:
            data = b""
        elif self._left is not None:
            data = data[: self._left]
            self._left -= len(data)
        if self._pending:
            data, self._pending = self._pending + data, b""
        if data:
            connection.write(data)

    def chunk_writer(self) -> Callable[[bytes], None] | None:
        """The connection's way out, when the head is sent and chunks follow."""
        connection = self._connection
        if connection is None or not self._is_chunked or self._pending:
            return None
        return connection.write

    def finish(self) -> None:
        """End the answer."""
        connection = self._connection
        if connection is None:
            return
        last = self._pending
        if self._is_chunked:
            last += b"0\r\n\r\n"
        if last:
            connection.write(last)
        if self._left:
            # Less than was announced: only the end of the connection can say so.
            connection.abort()
        else:
            self._over(connection)

    def reply(self, status: int, body: str | bytes, headers: Headers = ()) -> None:
        """Answer in one go, which is one write."""
        connection = self._connection
        if connection is None:
            return
        data = body if isinstance(body, bytes) else body.encode()
        block = _reply_block(tuple(headers))
        if status == 200 and connection.keeps_alive and self._head.method in _METHODS:
            factory = connection.factory
            now = factory.clock.seconds()
            head = factory.dates.ok_head(block, now)
            self._status = 200
            self._connection = self._lost = None
            connection.write(b"%b%d\r\n\r\n%b" % (head, len(data), data))
            connection.answered(self, now)
            return
        self._start(status, block, len(data))
        self._left = None
        connection.write(self._pending + data if self._takes_body else self._pending)
        self._over(connection)

    def reply_packet(
        self, bodies: SharedFrame, number: int, payload: bytes, headers: Headers, now: float
    ) -> None:
        """Answer with one data packet, as it is built for all polls that get it."""
        connection = self._connection
        if connection is None:
            return
        if not (connection.keeps_alive and self._head.method in _METHODS):
            self.reply(200, bodies.build(number, payload), headers)
            return
        shared = self._shared
        if shared is None or self._shared_for is not headers:
            block = _reply_block(tuple(headers))
            shared = connection.factory.shared_answer(bodies.encoder, block)
            self._shared, self._shared_for = shared, headers
        if not shared.begin <= now < shared.end:
            shared.renew(now)
        self._status = 200
        self._connection = self._lost = None
        connection.write(shared.build(number, payload))
        connection.answered(self, now)

    def _over(self, connection: "EdgeConnection") -> None:
        self._connection = self._lost = None
        connection.answered(self)

    def register_producer(self, producer: IPushProducer) -> None:
        """Pause ``producer`` while too much is unsent."""
        if self._connection is not None:
            self._connection.pace(producer)

    def upgrade(self, response: bytes, protocol: Any) -> None:
        """Hand the connection over."""
        connection, self._connection = self._connection, None
        self._lost = None
        if connection is not None:
            self._status = 101
            connection.hand_over(response, protocol)
