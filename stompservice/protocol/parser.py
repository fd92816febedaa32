r"""Bytes in, frames out, with limits.

::

    \n \n  SEND\n  destination:/a\n  content-length:5\n  \n  hello  \0   \n ...
    -----  ------  ----------------------------------------  -----  --   --
    beats  command  header lines                             body   NUL  beat

How it works. All bytes go into one buffer; ``_position`` is where the next unread
byte is. Most frames are there as a whole, short and plain: ``_take_plain_frame`` reads
those (see ``stompservice.protocol.plain``), and has no opinion on any other. The rest is
read by a generator, which walks over the buffer to the end of a frame, yields that, and
None whenever it needs more bytes; where it stands in a frame is where it stands in the
code. It alone finds faults, and between two frames there is none. Nothing is searched
twice: a search that found nothing is resumed where it ended.

What arrived in one piece is read where it is (``bytes``), without a copy of the buffer;
what was left over of it is joined with the next piece, in a ``bytearray`` when it is long.

Two properties that the rest of the system relies on:

* *Lazy.* A frame is read when it is asked for, so ``version`` and ``limits`` may be
  changed between two frames: a broker reads the CONNECT, sets the version, and the
  frames that came in the same packet are read by its rules.
* *The same for every cut.* Faults are found in the order of the bytes, and their
  sentences do not depend on how much had arrived.

Before the version is agreed, leave it at 1.2: that accepts both line ends. A CONNECT
without ``accept-version``, and a CONNECTED without ``version``, is read by the rules
of 1.0 whatever ``version`` says, because nobody else writes one.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from stompservice.errors import FrameError, FrameLimitError
from stompservice.protocol.frame import Frame
from stompservice.protocol.plain import (
    LENGTH,
    PLAIN_HEAD_BYTES,
    UNKNOWN,
    SharedHeaders,
    head_of_send,
    plain_head,
)
from stompservice.protocol.sends import SendReader
from stompservice.protocol.spec import (
    BLANKS,
    BODILESS,
    CRLF_VERSIONS,
    ESCAPE_SEQUENCE,
    LENIENT_VERSIONS,
    MAX_COMMAND_BYTES,
    UNESCAPED_COMMANDS,
    UNESCAPES,
    V10,
    V12,
    VERSION_HEADERS,
)

COMPACT_BYTES: Final = 65_536
"""How much may have been read before it is cut off the front of the buffer."""

JOINED_BYTES: Final = 4_096
"""A rest that is no longer is copied in front of what comes; a longer one grows in place."""

_NO_LINES: Final[list[tuple[str, str]]] = []
"""Of all parsers that stand between two frames."""

_COMMAND: Final = re.compile(rb"[A-Z]{0,%d}" % MAX_COMMAND_BYTES)
_LINE_ENDS: Final = {True: re.compile(rb"[\r\n]*"), False: re.compile(rb"\n*")}


@dataclass(frozen=True, slots=True)
class Limits:
    """What one frame may hold; what is larger is refused before it is kept.

    Attributes:
        max_headers: header lines in one frame.
        max_header_line_bytes: one header line, escaped, without its line end.
        max_head_bytes: the command and all header lines together.
        max_body_bytes: the body.
    """

    max_headers: int = 100
    max_header_line_bytes: int = 16_384
    max_head_bytes: int = 65_536
    max_body_bytes: int = 4_194_304


class FrameParser(SendReader):
    """Reads frames from one direction of one connection.

    Both ``version`` and ``limits`` may be set between two events.

    Attributes:
        shares_headers: SENDs with equal heads may have one ``SharedHeaders``, which nobody can
            change; else each frame has a dict of its own.
    """

    __slots__ = (
        "_command",
        "_has_escapes",
        "_is_closed",
        "_lines",
        "_reader",
        "_version",
        "shares_headers",
    )

    def __init__(
        self, limits: Limits = Limits(), version: str = V12, *, shares_headers: bool = False
    ) -> None:
        self.shares_headers = shares_headers
        self._version = version
        self._limits = limits
        self._last_send = None
        self._buffer = b""
        self._position = 0
        self._is_closed = False
        self._is_between_frames = True
        self._command = ""  # until its line has been read
        self._lines = _NO_LINES
        self._has_escapes = False
        self._reader: Generator[Frame | None, None, None] | None = None

    @property
    def version(self) -> str:
        """Whose rules to read by."""
        return self._version

    @version.setter
    def version(self, version: str) -> None:
        self._version, self._last_send = version, None

    @property
    def limits(self) -> Limits:
        """What a frame may hold."""
        return self._limits

    @limits.setter
    def limits(self, limits: Limits) -> None:
        self._limits, self._last_send = limits, None

    @property
    def bytes_buffered(self) -> int:
        """How many received bytes have not become an event yet."""
        return len(self._buffer) - self._position

    @property
    def is_within_frame(self) -> bool:
        """Whether the beginning of a frame has arrived, and not yet its end."""
        return not self._is_between_frames or len(self._buffer) > self._position

    def receive_data(self, data: bytes) -> None:
        """Take bytes from the peer. Never raises; after a FrameError they are dropped."""
        if self._is_closed:
            return
        buffer, position = self._buffer, self._position
        if position == len(buffer):
            self._buffer, self._position = data, 0
        elif isinstance(buffer, bytearray):
            if position > COMPACT_BYTES:
                del buffer[:position]
                self._position = 0
            buffer += data
        elif len(buffer) - position <= JOINED_BYTES:
            self._buffer, self._position = bytes(buffer[position:]) + data, 0
        else:
            self._buffer, self._position = bytearray(buffer[position:]) + data, 0

    def events_received(self) -> Iterator[Frame | FrameError]:
        """Read what has arrived, a frame for each step; a FrameError is the last event ever."""
        while self._position < len(self._buffer):
            frame = self._take_plain_frame() if self._is_between_frames else None
            if frame is not None:
                yield frame
                continue
            if self._reader is None:
                self._reader = self._read()
            try:
                frame = next(self._reader)
            except FrameError as error:
                error.command = self._command or None
                error.receipt = self._receipt()
                self.close()
                yield error
                return
            if self._is_between_frames:
                self._reader, self._command, self._lines = None, "", _NO_LINES
            if frame is None:
                return
            yield frame
        self._buffer, self._position = b"", 0

    def close(self) -> None:
        """Give back the memory; nothing is read any more."""
        self._is_closed = True
        self._last_send = None
        self._reader = None
        self._buffer, self._position = b"", 0
        self._command, self._lines, self._is_between_frames = "", _NO_LINES, True

    def _take_plain_frame(self) -> Frame | None:
        """Read the next frame if it is all here, short, and without anything special.

        The hot path. None means nothing: the same bytes are then looked at with care.
        """
        buffer, start, limits = self._buffer, self._position, self._limits
        if buffer.startswith(b"\n", start):  # of the frame before
            start += 1
        head_end = buffer.find(b"\n\n", start, start + PLAIN_HEAD_BYTES)
        if head_end < 0:
            return None
        head = bytes(buffer[start:head_end])
        if len(head) > limits.max_header_line_bytes or len(head) > limits.max_head_bytes - 2:
            return None
        read = head_of_send if head.startswith(b"SEND\n") else plain_head
        command, headers, length = read(head, self._version)
        if not command or len(headers) > limits.max_headers:
            return None
        body_start = head_end + 2
        if length == UNKNOWN:
            body_end = buffer.find(b"\0", body_start, body_start + limits.max_body_bytes + 1)
        elif length <= limits.max_body_bytes and buffer.startswith(b"\0", body_start + length):
            body_end = body_start + length
        else:
            return None
        if body_end < 0 or (body_end > body_start and command in BODILESS[self.version]):
            return None
        self._position = body_end + 1
        if not self.shares_headers:
            headers = dict(headers)
        elif type(headers) is SharedHeaders:
            self._last_send = headers
        return Frame(command, headers, bytes(buffer[body_start:body_end]))

    def _read(self) -> Generator[Frame | None, None, None]:
        """Walk over the buffer to the end of a frame; None when more bytes are needed."""
        self._command, self._lines, self._has_escapes = "", [], False
        while not self._skip_line_ends():
            yield None
        self._is_between_frames = False
        yield from self._take_head()
        rules = self._rules()
        headers = self._build_headers(rules)
        length = headers.get("content-length")
        if length is None:
            size = yield from self._find_nul(self._command in BODILESS[rules])
        else:
            size = self._announced_size(length, rules)
            while len(self._buffer) - self._position <= size:
                yield None
        start, end = self._position, self._position + size
        if self._buffer[end]:
            raise FrameError(f"no NUL after the {size} bytes that content-length announces")
        self._position = end + 1
        self._is_between_frames = True
        yield Frame(self._command, headers, bytes(self._buffer[start:end]))

    def _skip_line_ends(self) -> bool:
        """Pass over what may stand between two frames, heart-beats; False at the end."""
        if self._position == len(self._buffer):
            return False
        if self._buffer[self._position] in b"\r\n":
            line_ends = _LINE_ENDS[self.version in CRLF_VERSIONS]
            match = line_ends.match(self._buffer, self._position)
            assert match is not None
            self._position = match.end()
        return self._position < len(self._buffer)

    # The head: a command, header lines, a blank line.

    def _take_head(self) -> Generator[None, None, None]:
        """Read the head line by line, as it arrives."""
        may_end_in_cr = self.version in CRLF_VERSIONS
        head_bytes = 0
        while True:
            line = yield from self._take_line(may_end_in_cr)
            head_bytes += len(line) + 1
            if may_end_in_cr and line.endswith(b"\r"):
                line = line[:-1]
            if not self._command:
                self._command = line.decode("ascii")
            elif not line:
                return
            elif head_bytes > self.limits.max_head_bytes:
                raise FrameLimitError(f"head longer than {self.limits.max_head_bytes} bytes")
            else:
                self._add_line(line.decode("utf-8", "surrogateescape"))

    def _take_line(self, may_end_in_cr: bool) -> Generator[None, None, bytes | bytearray]:
        """Wait for a line end, refusing at the first byte that cannot belong to the line."""
        searched, max_bytes = 0, self.limits.max_header_line_bytes
        while True:
            buffer, start = self._buffer, self._position
            end = buffer.find(b"\n", start + searched)
            stop = len(buffer) if end < 0 else end
            if not self._command:
                beginning = buffer[start : min(stop, start + MAX_COMMAND_BYTES + 2)]
                check_command(beginning, is_complete=end >= 0, may_end_in_cr=may_end_in_cr)
            elif buffer.find(b"\0", start + searched, min(stop, start + max_bytes + 1)) >= 0:
                raise FrameError("NUL before the blank line that ends the headers")
            elif stop - start > max_bytes:
                raise FrameLimitError(f"header line longer than {max_bytes} bytes")
            if end >= 0:
                self._position = end + 1
                return buffer[start:end]
            searched = stop - start
            yield None

    def _add_line(self, line: str) -> None:
        headers, max_headers = self._lines, self.limits.max_headers
        if len(headers) >= max_headers:
            raise FrameLimitError(f"more than {max_headers} headers")
        name, colon, value = line.partition(":")
        if not colon:
            raise FrameError(f"header line has no colon: {line[:40]!r}")
        if not name.strip(BLANKS):
            raise FrameError(f"header line has no name: {line[:40]!r}")
        if "\\" in line:
            self._has_escapes = True
        headers.append((name, value))

    def _rules(self) -> str:
        """Which version this frame is written in."""
        announced_in = VERSION_HEADERS.get(self._command)
        if announced_in is None:
            return self.version
        names = {name.strip(BLANKS) for name, _ in self._lines}
        return self.version if announced_in in names else V10

    def _build_headers(self, rules: str) -> dict[str, str]:
        lines = self._lines
        if rules in LENIENT_VERSIONS or self._has_escapes:
            lines = [self._build_header(name, value, rules) for name, value in lines]
        headers = dict(lines)
        if len(headers) < len(lines) and rules not in LENIENT_VERSIONS:
            # Some are repeated, and the first counts.
            headers = dict(reversed(lines))
            headers = {name: headers[name] for name, _ in lines}
        return headers

    def _build_header(self, name: str, value: str, rules: str) -> tuple[str, str]:
        if rules in LENIENT_VERSIONS:
            return name.strip(BLANKS), value.strip(BLANKS)
        if self._command in UNESCAPED_COMMANDS:
            return name, value
        return unescape(name, rules), unescape(value, rules)

    def _receipt(self) -> str | None:
        """The ``receipt`` header of a frame that cannot be read to its end."""
        rules = self._rules()
        for name, value in self._lines if rules not in LENIENT_VERSIONS else self._lines[::-1]:
            with suppress(FrameError):
                found = self._build_header(name, value, rules)
                if found[0] == "receipt":
                    return found[1]
        return None

    # The body.

    def _announced_size(self, length: str, rules: str) -> int:
        if not LENGTH.fullmatch(length):
            raise FrameError(f"content-length is not a decimal number: {length[:40]!r}")
        size = int(length)
        if size and self._command in BODILESS[rules]:
            raise FrameError(f"{self._command} has no body in STOMP {rules}")
        if size > self.limits.max_body_bytes:
            raise FrameLimitError(f"body longer than {self.limits.max_body_bytes} bytes")
        return size

    def _find_nul(self, is_bodiless: bool) -> Generator[None, None, int]:
        """Wait for the NUL that ends a body of unknown size."""
        max_bytes = 0 if is_bodiless else self.limits.max_body_bytes
        searched = 0
        while True:
            start = self._position
            end = self._buffer.find(b"\0", start + searched, start + max_bytes + 1)
            if end >= 0:
                return end - start
            searched = len(self._buffer) - start
            if searched > max_bytes:
                if is_bodiless:
                    raise FrameError(f"{self._command} has no body in STOMP {self.version}")
                raise FrameLimitError(f"body longer than {max_bytes} bytes")
            yield None


def check_command(line: bytes | bytearray, *, is_complete: bool, may_end_in_cr: bool) -> None:
    """Refuse a first line that is not a command, or cannot become one."""
    match = _COMMAND.match(line)
    assert match is not None
    rest = line[match.end() :]
    if rest == b"\r" and may_end_in_cr:
        rest = b""
    if rest or (is_complete and not match[0]):
        beginning = bytes(line[: match.end() + 1])
        raise FrameError(f"a frame begins with a command in capital letters, not {beginning!r}")


def unescape(text: str, version: str) -> str:
    """Undo the escapes of a header name or value; an undefined one is a FrameError."""
    try:
        return ESCAPE_SEQUENCE.sub(lambda match: UNESCAPES[version][match[0]], text)
    except KeyError as error:
        raise FrameError(f"undefined escape in STOMP {version}: {error.args[0]!r}") from None
