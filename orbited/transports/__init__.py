"""The ways down to a browser, by the name that stands in the URL."""

from orbited.transports.base import Transport, TransportSettings
from orbited.transports.htmlfile import HtmlFile
from orbited.transports.longpoll import LongPoll
from orbited.transports.poll import Poll
from orbited.transports.sse import ServerSentEvents
from orbited.transports.websocket import WebSocket
from orbited.transports.xhrstream import XhrStream

__all__ = ["TRANSPORTS", "Transport", "TransportSettings"]

TRANSPORTS: dict[str, type[Transport]] = {
    transport.name: transport
    for transport in (WebSocket, ServerSentEvents, XhrStream, LongPoll, Poll, HtmlFile)
}
