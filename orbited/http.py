"""The HTTP that comet needs, and no more: one request and its answer.

Sessions and transports are written against ``Exchange``. What reads the requests is an *edge*:
``orbited.edge``, or ``orbited.web`` where sessions are mounted in a site of twisted.web. An edge
calls ``respond(exchange)`` once the whole body is there, in the reactor thread::

    def respond(exchange):
        if exchange.method != "GET":
            return exchange.reply(405, "Only GET here.\\n", [("Allow", "GET")])
        exchange.on_lost(lambda: print("the browser is gone"))
        exchange.start(200, [("Content-Type", "text/plain")])
        exchange.write(b"now ")          # each write is on its way to the browser at once
        exchange.write(b"and later")
        exchange.finish()
"""

import abc
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from twisted.internet.interfaces import IProtocol, IPushProducer

from orbited.protocol.shared import SharedFrame

__all__ = ["Exchange", "Headers", "Responder", "chunk"]

Headers = Iterable[tuple[str, str]]

#: Every answer has these: nothing of ours is to be kept, guessed at, or held back by a proxy.
COMMON_HEADERS: Sequence[tuple[str, str]] = (
    ("Cache-Control", "no-store"),
    ("X-Content-Type-Options", "nosniff"),
    ("X-Accel-Buffering", "no"),
)


def chunk(data: bytes) -> bytes:
    """One chunk of a chunked answer; not for nothing, which would end it. RFC 9112, 7.1."""
    return b"%x\r\n%b\r\n" % (len(data), data)


class Exchange(abc.ABC):
    """One request and its answer.

    Attributes:
        method: in capitals.
        path: the segments below where the responder is mounted, percent-decoded.
        scheme: ``http`` or ``https``, as the browser sees it.
        address: of the browser, as far as it is known; "" when it is not.
    """

    __slots__ = ("address", "method", "path", "scheme")

    method: str
    path: tuple[str, ...]
    scheme: str
    address: str

    # -- the request --------------------------------------------------------------------------

    @property
    @abc.abstractmethod
    def body(self) -> bytes:
        """The whole body; the edge has kept it within its limit."""

    @property
    @abc.abstractmethod
    def target(self) -> str:
        """Path and query as they stand in the request line."""

    @abc.abstractmethod
    def argument(self, name: str) -> str | None:
        """The last value of that name in the query, or None."""

    @abc.abstractmethod
    def header(self, name: str) -> str | None:
        """The last header of that name, or None; to be asked before the answer begins."""

    @abc.abstractmethod
    def header_items(self) -> list[tuple[str, str]]:
        """All headers in order."""

    @property
    def note(self) -> Any:
        """What a responder has noted when the same headers came before, from the same client.

        None where nothing was, or where nothing is remembered. Notes go with the connection.
        """
        return None

    @note.setter  # noqa: B027
    def note(self, note: Any) -> None:
        """Note something that follows from headers, address and scheme alone."""

    @abc.abstractmethod
    def on_lost(self, callback: Callable[[], None]) -> None:
        """Call back once if the connection goes away before the answer is finished."""

    def settle(self) -> None:  # noqa: B027
        """The answer may be long in coming: neither headers nor path need be kept."""

    def again(self, take: Callable[[int, bytes, float], bool]) -> None:  # noqa: B027
        """Have a request given to ``take`` that differs from this one in ``ack`` and body only.

        ``take(ack, body, now)`` is called in place of the responder, once this one is answered,
        and takes the request: it is answered on this same exchange. Or it says False, has done
        nothing, and the request comes to the responder like any other.
        """

    # -- the answer ---------------------------------------------------------------------------

    @abc.abstractmethod
    def start(self, status: int, headers: Headers, length: int | None = None) -> None:
        """Begin the answer; without a length it ends where ``finish`` is called."""

    @abc.abstractmethod
    def write(self, data: bytes) -> None:
        """Send bytes of the body; harmless when the browser is gone.

        The first write sends the head with it, even when it is empty.
        """

    def chunk_writer(self) -> Callable[[bytes], None] | None:
        """What sends the output of ``chunk`` as it is, once an answer without a length has begun.

        None where the answer is framed in another way, or is over: then ``write`` is to be used.
        """
        return None

    @abc.abstractmethod
    def finish(self) -> None:
        """End the answer properly; harmless when it is over already."""

    @abc.abstractmethod
    def register_producer(self, producer: IPushProducer) -> None:
        """Tell ``producer`` to pause while more than the edge wants to hold is unsent."""

    @abc.abstractmethod
    def upgrade(self, response: bytes, protocol: IProtocol) -> None:
        """Send ``response`` and hand the connection over to ``protocol``."""

    def reply(self, status: int, body: str | bytes, headers: Headers = ()) -> None:
        """Answer in one go; text becomes ``text/plain``."""
        data = body.encode() if isinstance(body, str) else body
        headers = [("Content-Type", "text/plain; charset=utf-8"), *COMMON_HEADERS, *headers]
        self.start(status, headers, len(data))
        self.write(data)
        self.finish()

    def reply_packet(
        self, bodies: SharedFrame, number: int, payload: bytes, headers: Headers, now: float
    ) -> None:
        """Answer with one data packet, which others may get too. The hot path.

        Args:
            bodies: builds the body.
        """
        self.reply(200, bodies.build(number, payload), headers)


Responder = Callable[[Exchange], None]
