"""htmlfile: a page in a hidden frame whose scripts arrive one by one (Internet Explorer)."""

from collections.abc import Sequence

from orbited.protocol.packets import JSON, Packet
from orbited.transports.base import StreamingTransport

__all__ = ["HtmlFile"]

_HEAD = (
    b'<html>\r\n <head>\r\n  <script src="../static/HTMLFileFrame.js"></script>\r\n </head>\r\n'
    b" <body>"
)

#: What answers an unknown key: the frame cannot see a status, so a script closes the transport.
CLOSED_PAGE = (
    b'<html>\r\n <head>\r\n  <script src="../../static/HTMLFileClose.js"></script>\r\n'
    b" </head>\r\n <body>\r\n </body>\r\n</html>"
)


class HtmlFile(StreamingTransport):
    """Each burst calls ``e(packets)`` in the frame, each heartbeat ``h()``."""

    __slots__ = ()

    name = "htmlfile"
    encoder = JSON
    content_type = "text/html; charset=utf-8"
    prelude = _HEAD.ljust(256) + b"\n"
    heartbeat = b"<script>h();</script>"

    def frame(self, packets: Sequence[Packet]) -> bytes:
        """One burst as a script."""
        return b"<script>e(%b)</script>" % self.encoder.encode(packets)
