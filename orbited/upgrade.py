"""How a request becomes a WebSocket: the opening handshake of RFC 6455, section 4.

It takes two steps, so that something slow may lie between them: ``begin`` looks at the request,
and answers it if it is not the beginning of a WebSocket; ``Handshake.finish`` accepts it::

    handshake = begin(exchange, max_message_bytes=1 << 20, subprotocols=["v12.stomp"])
    if handshake is not None:
        connection = handshake.finish(listener, reactor)
"""

import contextlib
from collections.abc import Sequence

from twisted.internet.interfaces import IReactorTime
from websockets.datastructures import Headers
from websockets.exceptions import InvalidHandshake
from websockets.extensions.permessage_deflate import ServerPerMessageDeflateFactory
from websockets.http11 import Request, Response
from websockets.server import ServerProtocol
from websockets.typing import Subprotocol

from orbited.http import Exchange
from orbited.websocket import Listener, WebSocketConnection

__all__ = ["Handshake", "begin", "upgrade"]

#: The headers that the handshake is about; the rest is nothing to its parser.
_HANDSHAKE_HEADERS = ("connection", "upgrade", "host", "origin")

#: What compression looks back upon, as a power of two, and zlib's level of memory. With these a
#: connection keeps some 50 kB; with zlib's own defaults it would be 300.
WINDOW_BITS = 12
MEMORY_LEVEL = 5


class Handshake:
    """A request that is the beginning of a WebSocket, and has not been answered.

    Attributes:
        subprotocol: the one that was chosen, or None.
    """

    def __init__(self, exchange: Exchange, protocol: ServerProtocol, response: Response) -> None:
        self._exchange = exchange
        self._protocol = protocol
        self._response = response
        self.subprotocol: str | None = protocol.subprotocol

    def finish(self, listener: Listener, clock: IReactorTime) -> WebSocketConnection:
        """Accept."""
        protocol = self._protocol
        protocol.send_response(self._response)
        protocol.parser.close()  # or the two would keep each other until they are collected
        assert protocol.max_message_size is not None
        connection = WebSocketConnection(
            listener, clock, protocol.max_message_size, protocol.extensions
        )
        self._exchange.upgrade(b"".join(protocol.data_to_send()), connection)
        return connection


def begin(
    exchange: Exchange,
    *,
    max_message_bytes: int,
    subprotocols: Sequence[str] = (),
    compression: bool = False,
    headers: Sequence[tuple[str, str]] = (),
) -> Handshake | None:
    """Look at a request for a WebSocket, or answer it with what is wrong.

    Args:
        max_message_bytes: larger messages end the connection with 1009, also when they are
            only large once decompressed.
        subprotocols: in our order of preference; the first that the browser offers is chosen.

    Returns:
        None when the request was refused; it has been answered then.
    """
    protocol = ServerProtocol(
        max_size=max_message_bytes,
        subprotocols=[Subprotocol(name) for name in subprotocols],
        select_subprotocol=_select_subprotocol if subprotocols else None,
        extensions=[_deflate()] if compression else None,
    )
    # The protocol has to parse the request itself: handed a ready one, its parser would go on
    # waiting for a request line and never read a frame.
    request = None
    with contextlib.suppress(InvalidHandshake):
        request_headers = Headers()
        for name, value in exchange.header_items():
            if name.lower() in _HANDSHAKE_HEADERS or name.lower().startswith("sec-websocket-"):
                request_headers[name] = value
        protocol.receive_data(Request("/", request_headers).serialize())
        request = next((e for e in protocol.events_received() if isinstance(e, Request)), None)
    if request is None or exchange.method != "GET":
        exchange.reply(400, "This is not the beginning of a WebSocket.\n", headers)
        return None
    response = protocol.accept(request)
    if response.status_code != 101:
        known = ("upgrade", "allow", "sec-websocket-version")
        extra = [(n, v) for n, v in response.headers.raw_items() if n.lower() in known]
        exchange.reply(response.status_code, bytes(response.body), [*headers, *extra])
        return None
    return Handshake(exchange, protocol, response)


def upgrade(
    exchange: Exchange,
    listener: Listener,
    clock: IReactorTime,
    *,
    max_message_bytes: int,
    subprotocols: Sequence[str] = (),
    compression: bool = False,
    headers: Sequence[tuple[str, str]] = (),
) -> WebSocketConnection | None:
    """Both steps at once; None when the request was refused, and has been answered."""
    handshake = begin(
        exchange,
        max_message_bytes=max_message_bytes,
        subprotocols=subprotocols,
        compression=compression,
        headers=headers,
    )
    return None if handshake is None else handshake.finish(listener, clock)


def _deflate() -> ServerPerMessageDeflateFactory:
    """permessage-deflate (RFC 7692) with a window that many connections can afford."""
    return ServerPerMessageDeflateFactory(
        server_max_window_bits=WINDOW_BITS,
        client_max_window_bits=WINDOW_BITS,
        compress_settings={"memLevel": MEMORY_LEVEL},
    )


def _select_subprotocol(
    protocol: ServerProtocol, offered: Sequence[Subprotocol]
) -> Subprotocol | None:
    """Take the first of ours that is offered; a client that offers none is welcome too."""
    return next((name for name in protocol.available_subprotocols or () if name in offered), None)
