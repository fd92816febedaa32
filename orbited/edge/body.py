"""A chunked body, read strictly. RFC 9112, 7.1.

::

    5;note=x\\r\\n        size in hexadecimal, extensions (bounded, and not read)
    hello\\r\\n
    0\\r\\n
    Trailer: x\\r\\n      bounded, and dropped
    \\r\\n
"""

import enum
import re

from orbited.errors import RequestError

__all__ = ["ChunkedBody"]

#: At most 12 digits; extensions hold no control character, so no line break can hide in them.
_SIZE_LINE = re.compile(rb"([0-9A-Fa-f]{1,12})(?:[ \t]*;[\t -~\x80-\xff]*)?")

_TRAILER = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+:[\t -~\x80-\xff]*")


class _State(enum.Enum):
    SIZE = "a size line"
    DATA = "bytes of a chunk"
    DATA_END = "the line end behind a chunk"
    TRAILER = "a trailer, or the end"
    DONE = "nothing"


class ChunkedBody:
    """Takes the coding off.

    Attributes:
        is_complete: the last chunk and the trailers were there.
        rest: what has not been read, which is the next request once the body is complete.
    """

    __slots__ = ("_chunk_left", "_max_line_bytes", "_state", "_trailer_left", "is_complete", "rest")

    def __init__(self, max_line_bytes: int, max_trailer_bytes: int) -> None:
        self._max_line_bytes = max_line_bytes
        self._trailer_left = max_trailer_bytes
        self._state = _State.SIZE
        self._chunk_left = 0
        self.is_complete = False
        self.rest = b""

    def receive_data(self, data: bytes) -> list[bytes]:
        """Take bytes in any cut; gives the pieces of the body.

        Raises:
            RequestError: what came is not in this coding, or passes a bound.
        """
        data = self.rest + data
        pieces: list[bytes] = []
        position = 0
        while not self.is_complete:
            if self._state is _State.DATA:
                piece = data[position : position + self._chunk_left]
                if not piece:
                    break
                pieces.append(piece)
                position += len(piece)
                self._chunk_left -= len(piece)
                if not self._chunk_left:
                    self._state = _State.DATA_END
                continue
            end = data.find(b"\n", position)
            if end < 0:
                self._check_partial_line(len(data) - position)
                break
            self._receive_line(data[position : end + 1])
            position = end + 1
        self.rest = data[position:]
        return pieces

    def _check_partial_line(self, size: int) -> None:
        """What has no line end yet must not be longer than a line."""
        bound = 1 if self._state is _State.DATA_END else self._bound()
        if size > bound:
            raise self._problem()

    def _bound(self) -> int:
        return self._trailer_left if self._state is _State.TRAILER else self._max_line_bytes

    def _receive_line(self, line: bytes) -> None:
        if not line.endswith(b"\r\n") or len(line) > max(2, self._bound()):
            raise self._problem()
        line = line[:-2]
        if self._state is _State.DATA_END:
            if line:
                raise self._problem()
            self._state = _State.SIZE
        elif self._state is _State.SIZE:
            match = _SIZE_LINE.fullmatch(line)
            if match is None:
                raise self._problem()
            self._chunk_left = int(match[1], 16)
            self._state = _State.DATA if self._chunk_left else _State.TRAILER
        elif not line:
            self._state = _State.DONE
            self.is_complete = True
        elif _TRAILER.fullmatch(line) is None:
            raise self._problem()
        else:
            self._trailer_left -= len(line) + 2

    def _problem(self) -> RequestError:
        if self._state is _State.TRAILER:
            return RequestError(400, "The trailers of a chunked body are malformed or too large.")
        return RequestError(400, "A chunk of the body is malformed.")
