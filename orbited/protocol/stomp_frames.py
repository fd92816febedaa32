r"""Where STOMP frames end, for those who carry them without reading them.

A client in a browser wants each WebSocket message to hold whole frames; TCP gives pieces that end
anywhere. ``FrameSplitter`` puts the pieces together and cuts them again, one frame at a time::

    split(b"MESSAGE\ncontent-length:3\n\na\0")         -> []
    split(b"b\0\n\nMESSAGE\n\nhello\0")                -> [b"MESSAGE\n...a\0b\0\n\n", b"MESSAGE..."]
    split(b"\n")                                       -> [b"\n"]       a heart-beat

A frame ends at the NUL behind as many bytes of body as its ``content-length`` says, or at the first
NUL; ends of lines that follow at once are left with it. What comes as exactly one frame is returned
as the object that it is. A frame longer than the bound is passed on in pieces, as they come: every
byte goes on, and nothing is kept.

STOMP 1.2, "STOMP Frames", "Header content-length"; it holds for 1.0 and 1.1 as well.
"""

import re

__all__ = ["FrameSplitter"]

_CONTENT_LENGTH = re.compile(rb"\ncontent-length:[ \t]*([0-9]{1,15})[ \t]*\r?\n")
_END_OF_HEAD = re.compile(rb"\n\r?\n")
_LINE_ENDS = re.compile(rb"[\r\n]*")

HEART_BEAT = b"\n"


class FrameSplitter:
    """Cuts one direction of one connection into frames.

    Args:
        max_frame_bytes: most that is kept of a frame that has not come in whole.
    """

    __slots__ = ("_body", "_buffer", "_end", "_looked_at", "_max_bytes", "_passing")

    def __init__(self, max_frame_bytes: int) -> None:
        self._max_bytes = max_frame_bytes
        self._buffer = bytearray()
        self._body = 0  # where the body begins in the buffer, when that is known; else 0
        self._end = 0  # of the frame in the buffer, when its content-length is known; else 0
        self._looked_at = 0  # bytes of the buffer in which no end of the frame was found
        self._passing = 0  # bytes left of a frame that goes in pieces; -1: until a NUL

    @property
    def is_between_frames(self) -> bool:
        """What comes next is the beginning of a frame."""
        return not self._buffer and not self._passing

    def split(self, data: bytes) -> list[bytes]:
        """Take bytes; return what can go, a frame or a heart-beat each."""
        if self._buffer:
            self._buffer += data
            if len(self._buffer) < self._end:
                return []
            source: bytes | bytearray = self._buffer
        else:
            source = data
        messages: list[bytes] = []
        start, size = 0, len(source)
        while start < size:
            if self._passing:
                end = self._end_of_piece(source, start)
            elif source[start] in b"\r\n":
                # However many they are, they are one heart-beat; old clients know only one.
                start = _end_of(_LINE_ENDS, source, start)
                messages.append(HEART_BEAT)
                continue
            else:
                end = self._end_of_frame(source, start)
                if not end:
                    break
                end = _end_of(_LINE_ENDS, source, end)
            whole = start == 0 and end == size and source is data
            messages.append(data if whole else bytes(source[start:end]))
            start = end
        self._keep(source, start)
        return messages

    def _end_of_frame(self, source: bytes | bytearray, start: int) -> int:
        """Where the frame ends, behind its NUL; 0 when that has not come."""
        size = len(source)
        if not self._body:
            # The end of the head may begin in the last two bytes that were looked at.
            head = _END_OF_HEAD.search(source, max(start, self._looked_at - 2))
            body = head.end() if head else size
            nul = source.find(0, max(start, self._looked_at), body)
            if nul >= 0:
                return self._found(nul + 1)  # no head ends like this, but the frame does
            if head:
                self._body = body - start
                length = _CONTENT_LENGTH.search(source, start, body)
                self._end = self._body + int(length[1]) + 1 if length else 0
        if self._body and not self._end:
            nul = source.find(0, max(start + self._body, self._looked_at))
            if nul >= 0:
                return self._found(nul + 1)
        if self._end:
            end = start + self._end
            if end <= size:
                # Whoever counts wrong is taken at their NUL.
                nul = end - 1 if source[end - 1] == 0 else source.find(0, end)
                if nul >= 0:
                    return self._found(nul + 1)
            if self._end > self._max_bytes and end > size:
                return self._pass_on(source, start, end - start)
        if size - start > self._max_bytes:
            return self._pass_on(source, start, -1)
        self._looked_at = size - start
        return 0

    def _found(self, end: int) -> int:
        self._body = self._end = self._looked_at = 0
        return end

    def _pass_on(self, source: bytes | bytearray, start: int, left: int) -> int:
        """Go over to pieces: the frame is too long to be kept."""
        self._passing = left
        return self._end_of_piece(source, self._found(start))

    def _end_of_piece(self, source: bytes | bytearray, start: int) -> int:
        """How much of a frame that goes in pieces is there."""
        size = len(source)
        if self._passing < 0:
            nul = source.find(0, start)
            if nul >= 0:
                self._passing = 0
                return nul + 1
            return size
        end = min(size, start + self._passing)
        self._passing -= end - start
        return end

    def _keep(self, source: bytes | bytearray, start: int) -> None:
        """Keep what is not a whole frame yet."""
        if source is self._buffer:
            del self._buffer[:start]
        elif start < len(source):
            self._buffer += source[start:]


def _end_of(pattern: re.Pattern[bytes], source: bytes | bytearray, start: int) -> int:
    match = pattern.match(source, start)
    return match.end() if match else start
