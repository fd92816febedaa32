"""What many browsers get is put on the wire once.

A message pushed to a thousand browsers is one bytes object, and what becomes of it differs
between two of them by nothing but the number of the packet::

    82 7e 00 f6  11,314,data0233,MESSAGE...        a WebSocket frame
    \\-- before --/^\\---------- behind ---------/
                  number

So the frame is built by the ordinary encoder for the first of them; for the second it is cut at the
number, and for all others put together around theirs. The two ends are good for all numbers that
have as many digits.
"""

from collections.abc import Callable

from orbited.protocol.packets import Encoder

__all__ = ["SharedFrame"]


class SharedFrame:
    """Frames of one data packet each; it remembers the last payload, by identity.

    Args:
        encoder: of the packet, with text framing (``TEXT``, ``RAW``).
        envelope: puts the transport's framing around that.

    Attributes:
        encoder: of the packet.
    """

    __slots__ = (
        "_before",
        "_behind",
        "_envelope",
        "_first",
        "_frame",
        "_last",
        "_number",
        "_payload",
        "encoder",
    )

    def __init__(self, encoder: Encoder, envelope: Callable[[bytes], bytes]) -> None:
        self.encoder = encoder
        self._envelope = envelope
        self._payload: bytes | None = None
        self._first = self._last = 0  # the numbers that the ends are good for
        self._before = self._behind = b""
        self._number, self._frame = -1, b""  # that frame again, for those who have read as much

    def build(self, number: int, payload: bytes) -> bytes:
        """Build the frame of a packet, ready for the wire."""
        if payload is not self._payload:  # perhaps nobody else gets it
            self._payload = payload
            self._last = 0
            return self.whole(number, payload)
        if not self._first <= number <= self._last:
            self._cut(number, payload)
        if number != self._number:
            self._number = number
            self._frame = b"%b%d%b" % (self._before, number, self._behind)
        return self._frame

    def whole(self, number: int, payload: bytes) -> bytes:
        """Build the frame as if it were the only one."""
        return self._envelope(self.encoder.encode_data(number, payload))

    def _cut(self, number: int, payload: bytes) -> None:
        packet = self.encoder.encode_data(number, payload)
        frame = self._envelope(packet)
        digits = len(b"%d" % number)
        start = frame.index(packet) + packet.index(b",") + 1
        self._before, self._behind = frame[:start], frame[start + digits :]
        self._first, self._last = 10 ** (digits - 1), 10**digits - 1
        self._number = -1
