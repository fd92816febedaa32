"""XHR streaming: packets as they come, in one response that the page reads while it grows.

The parser of 2010 skips blanks and then ``x`` characters, only where a parse begins. So the
padding that makes some browsers deliver the first bytes comes once, and a heartbeat never shares
a write with a packet.
"""

from orbited.http import chunk
from orbited.protocol.packets import TEXT
from orbited.protocol.shared import SharedFrame
from orbited.transports.base import StreamingTransport

__all__ = ["XhrStream"]


class XhrStream(StreamingTransport):
    """The text framing, with ``x`` for a heartbeat."""

    __slots__ = ()

    name = "xhrstream"
    encoder = TEXT
    shared = SharedFrame(TEXT, chunk)
    has_shared_chunks = True
    content_type = "application/x-orbited-event-stream"
    prelude = b" " * 256
    heartbeat = b"x"
