"""Whole answers that many polls get alike: head, and one data packet for a body.

They differ in the number of the packet only, so they are put together as ``SharedFrame`` does it,
around it. The head has the time in it; once a second everything is made anew.
"""

from orbited.edge.answer import Dates
from orbited.protocol.packets import Encoder
from orbited.protocol.shared import SharedFrame

__all__ = ["SharedAnswer"]


class SharedAnswer(SharedFrame):
    """Answers with status 200 and the same headers; to be built between ``begin`` and ``end``.

    Args:
        headers: a block of them, as ``header_block`` gives it.

    Attributes:
        begin: seconds since 1970; sooner, or from ``end`` on, ``renew`` comes first.
    """

    __slots__ = ("_dates", "_head", "_headers", "begin", "end")

    def __init__(self, encoder: Encoder, dates: Dates, headers: bytes) -> None:
        super().__init__(encoder, self._answer)
        self._dates = dates
        self._headers = headers
        self._head = b""
        self.begin = self.end = 0

    def renew(self, now: float) -> None:
        """Have the time of now in the head."""
        self.begin = int(now)
        self.end = self.begin + 1
        self._head = self._dates.ok_head(self._headers, now)
        self._payload = None

    def _answer(self, body: bytes) -> bytes:
        return b"%b%d\r\n\r\n%b" % (self._head, len(body), body)
