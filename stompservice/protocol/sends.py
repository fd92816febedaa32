r"""SEND after SEND: the shortest way through the parser.

::

    SEND\n destination:/a\n content-length:5\n \n  hello  \0\n   SEND\n destination:/a\n ...
    --------------- beginning ------------------  body           --------- the same ---------

Whoever sends much says the same before each body. So bytes are compared with the beginning of the
SEND before, and no header is read. What differs in any way is left to ``FrameParser``, which is
built on this and finds all faults; the property tests compare the two.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from stompservice.protocol.plain import UNKNOWN, SharedHeaders

if TYPE_CHECKING:
    from stompservice.protocol.parser import Limits

RUN_BYTES: Final = 16_384
"""How far to look for SENDs that are taken together."""


class SendReader:
    """The part of a parser that reads what begins as the last plain SEND did, byte for byte."""

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
        start, end = len(beginning), len(data) - 1
        if data[:start] != beginning:  # as startswith, in two thirds of its time
            return None
        if data[-2:] == b"\0\n":
            end -= 1
        if length == UNKNOWN:
            if data.find(b"\0", start) != end or end - start > self._limits.max_body_bytes:
                return None
        elif end - start != length or data[end]:
            return None
        return headers, data[start:end]

    def take_send(self) -> tuple[SharedHeaders, bytes] | None:
        """Read the next frame, if it begins so. It needs ``shares_headers``.

        None means nothing: ask for events.

        Returns:
            headers and body of the SEND.
        """
        headers, buffer, start = self._last_send, self._buffer, self._position
        if headers is None or not self._is_between_frames or type(buffer) is not bytes:
            return None
        beginning, length = headers.beginning, headers.length
        if not buffer.startswith(beginning, start):
            if not buffer.startswith(b"\n" + beginning, start):
                return None
            start += 1  # a line feed behind the frame before
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

    def take_run(self) -> list[bytes]:
        """Read frames that ``take_send`` would take one by one, with the headers of the last one.

        Nothing in a frame is looked at, but for what stands between two bodies. Only bodies
        whose length was announced can be read so.

        Returns:
            their bodies; none means nothing, ask ``take_send``.
        """
        headers, buffer, start = self._last_send, self._buffer, self._position
        if not buffer or headers is None or type(buffer) is not bytes:
            return []
        beginning, length = headers.beginning, headers.length
        if length == UNKNOWN or not self._is_between_frames:
            return []
        if not buffer.startswith(beginning, start):
            return []
        body_start = start + len(beginning)
        body_end = body_start + length
        between = (b"\0\n" if buffer.startswith(b"\0\n", body_end) else b"\0") + beginning
        if not buffer.startswith(between, body_end):
            return []
        bodies = buffer[body_start : start + RUN_BYTES].split(between)
        bodies.pop()  # nothing has said that this one ends here
        if set(map(len, bodies)) - {length}:  # one holds such bytes itself, or others come next
            odd = next(place for place, body in enumerate(bodies) if len(body) != length)
            del bodies[odd:]
        self._position = start + len(bodies) * (length + len(between))
        return bodies
