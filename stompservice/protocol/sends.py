r"""SEND after SEND from the same sender: the shortest way through the parser.

Whoever sends much says mostly the same, but for the body. So a parser remembers the beginning of
the last plain SEND (see ``stompservice.protocol.plain``), and looks whether what comes next has the
same bytes there. There is then no head to read::

    SEND\n destination:/a\n content-length:5\n \n  hello  \0 \n
    -------------- beginning --------------   body

As there, nothing is found wrong here: whatever is different is read as ever.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from stompservice.protocol.plain import UNKNOWN, SharedHeaders

if TYPE_CHECKING:
    from stompservice.protocol.parser import Limits


class SendReader:
    """A part of ``FrameParser``, which gives the attributes their values and their meaning."""

    __slots__ = ("_buffer", "_is_between_frames", "_last_send", "_limits", "_position")

    _buffer: bytes | bytearray
    _is_between_frames: bool
    _last_send: SharedHeaders | None
    _limits: Limits
    _position: int

    def read_send(self, data: bytes) -> tuple[SharedHeaders, bytes] | None:
        """Read bytes as ``receive_data`` and ``take_send`` would, if they are just one SEND.

        The hottest path: a packet of somebody who sends one message at a time. Nothing of it
        is kept. None means nothing: hand the bytes to ``receive_data``.
        """
        headers = self._last_send
        if headers is None or not self._is_between_frames or self._position < len(self._buffer):
            return None
        beginning, length = headers.beginning, headers.length
        if not data.startswith(beginning):
            return None
        start, end = len(beginning), len(data) - 1
        if data.endswith(b"\0\n"):
            end -= 1
        if length == UNKNOWN:
            if data.find(b"\0", start) != end or end - start > self._limits.max_body_bytes:
                return None
        elif end - start != length or data[end]:
            return None
        return headers, data[start:end]

    def take_send(self) -> tuple[SharedHeaders, bytes] | None:
        """Read the next frame if it begins as the last plain SEND did, byte for byte.

        The hottest path: whoever sends much, sends it to the same destination. It needs
        ``shares_headers``. None means nothing: ask for events.

        Returns:
            headers and body of the SEND.
        """
        headers, buffer, start = self._last_send, self._buffer, self._position
        if headers is None or not self._is_between_frames or type(buffer) is not bytes:
            return None
        beginning, length = headers.beginning, headers.length
        if not buffer.startswith(beginning, start):
            return None
        body_start = start + len(beginning)
        if length == UNKNOWN:
            end = body_start + self._limits.max_body_bytes + 1
            body_end = buffer.find(b"\0", body_start, end)
            if body_end < 0:
                return None
        else:
            body_end = body_start + length
            if not buffer.startswith(b"\0", body_end):
                return None
        body = buffer[body_start:body_end]
        body_end += 2 if buffer.startswith(b"\n", body_end + 1) else 1
        if body_end == len(buffer):
            self._buffer, self._position = b"", 0
        else:
            self._position = body_end
        return headers, body
