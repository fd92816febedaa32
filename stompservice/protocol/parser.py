r"""Bytes in, frames out, with limits.

::

    \n \n  SEND\n  destination:/a\n  content-length:5\n  \n  hello  \0   \n ...
    -----  ------  ----------------------------------------  -----  --   --
    beats  command  header lines                             body   NUL  beat

How it works. All bytes go into one buffer; ``_position`` is where the next unread
byte is. A generator walks over the buffer and yields a frame, or None when it
needs more bytes; where it stands in a frame is where it stands in the code. Small
heads are taken in one piece (``_take_whole_head``), long or incomplete ones line by
line; both end in ``_add_lines`` and ``_build_headers``. Nothing is searched twice: a
search that found nothing is resumed where it ended.

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
from dataclasses import dataclass
from typing import Final

from stompservice.errors import FrameError, FrameLimitError
from stompservice.protocol.frame import Frame
from stompservice.protocol.spec import (
    BLANKS,
    BODILESS,
    COMMANDS,
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

WHOLE_HEAD_BYTES: Final = 4_096
"""How far to look for the end of a head that is taken in one piece."""

_COMMAND: Final = re.compile(rb"[A-Z]{0,%d}" % MAX_COMMAND_BYTES)
_LINE_ENDS: Final = {True: re.compile(rb"[\r\n]*"), False: re.compile(rb"\n*")}
_LENGTH: Final = re.compile(r"[0-9]{1,18}", re.ASCII)


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


class FrameParser:
    """Reads frames from one direction of one connection.

    Attributes:
        version: whose rules to read by; may be set between two events.
        limits: likewise.
    """

    def __init__(self, limits: Limits = Limits(), version: str = V12) -> None:
        self.version = version
        self.limits = limits
        self._buffer = bytearray()
        self._position = 0
        self._is_closed = False
        self._command = ""  # until its line has been read
        self._lines: list[tuple[str, str]] = []
        self._has_escapes = False
        self._reader = self._read()

    @property
    def bytes_buffered(self) -> int:
        """How many received bytes have not become an event yet."""
        return len(self._buffer) - self._position

    @property
    def is_within_frame(self) -> bool:
        """Whether the beginning of a frame has arrived, and not yet its end."""
        return bool(self._command) or self.bytes_buffered > 0

    def receive_data(self, data: bytes) -> None:
        """Take bytes from the peer. Never raises; after a FrameError they are dropped."""
        if self._is_closed:
            return
        if self._position > COMPACT_BYTES or self._position == len(self._buffer):
            del self._buffer[: self._position]
            self._position = 0
        self._buffer += data

    def events_received(self) -> Iterator[Frame | FrameError]:
        """Read what has arrived, a frame for each step; a FrameError is the last event ever."""
        try:
            for frame in self._reader:
                if frame is None:
                    return
                yield frame
        except FrameError as error:
            error.command = self._command or None
            error.receipt = dict(reversed(self._lines)).get("receipt")
            self.close()
            yield error

    def close(self) -> None:
        """Give back the memory; nothing is read any more."""
        self._is_closed = True
        self._reader.close()
        self._buffer.clear()
        self._position = 0
        self._command, self._lines = "", []

    def _read(self) -> Generator[Frame | None, None, None]:
        """Walk over the buffer for ever: a frame, or None when more bytes are needed."""
        buffer = self._buffer
        while True:
            self._command, self._lines, self._has_escapes = "", [], False
            while not self._skip_line_ends():
                yield None
            if not self._take_whole_head():
                yield from self._take_head_by_lines()
            rules = self._rules()
            headers = self._build_headers(rules)
            length = headers.get("content-length")
            if length is None:
                size = yield from self._find_nul(self._command in BODILESS[rules])
            else:
                size = self._announced_size(length, rules)
                while len(buffer) - self._position <= size:
                    yield None
            start, end = self._position, self._position + size
            if buffer[end]:
                raise FrameError(f"no NUL after the {size} bytes that content-length announces")
            self._position = end + 1
            yield Frame(self._command, headers, bytes(buffer[start:end]))

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

    def _take_whole_head(self) -> bool:
        """Read the head in one piece if it is short, plain and all there."""
        limits, start = self.limits, self._position
        room = min(WHOLE_HEAD_BYTES, limits.max_head_bytes, limits.max_header_line_bytes)
        end = self._buffer.find(b"\n\n", start, start + room)
        if end < 0:
            return False
        head = self._buffer[start:end]
        if b"\0" in head or b"\r" in head:
            return False
        command, *lines = head.decode("utf-8", "surrogateescape").split("\n")
        if command not in COMMANDS:
            check_command(head.partition(b"\n")[0], is_complete=True, may_end_in_cr=False)
        self._command = command
        self._add_lines(lines)
        self._position = end + 2
        return True

    def _take_head_by_lines(self) -> Generator[None, None, None]:
        """Read the head line by line, as it arrives."""
        may_end_in_cr = self.version in CRLF_VERSIONS
        head_bytes = 0
        while True:
            line = yield from self._take_line(may_end_in_cr)
            head_bytes += len(line) + 1
            if may_end_in_cr and line.endswith(b"\r"):
                del line[-1]
            if not self._command:
                self._command = line.decode("ascii")
            elif not line:
                return
            elif head_bytes > self.limits.max_head_bytes:
                raise FrameLimitError(f"head longer than {self.limits.max_head_bytes} bytes")
            else:
                self._add_lines([line.decode("utf-8", "surrogateescape")])

    def _take_line(self, may_end_in_cr: bool) -> Generator[None, None, bytearray]:
        """Wait for a line end, refusing at the first byte that cannot belong to the line."""
        buffer, searched = self._buffer, 0
        max_bytes = self.limits.max_header_line_bytes
        while True:
            start = self._position
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

    def _add_lines(self, lines: list[str]) -> None:
        headers, max_headers = self._lines, self.limits.max_headers
        for line in lines:
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
        if rules in LENIENT_VERSIONS:
            return {name.strip(BLANKS): value.strip(BLANKS) for name, value in lines}
        if self._has_escapes and self._command not in UNESCAPED_COMMANDS:
            lines = [(unescape(name, rules), unescape(value, rules)) for name, value in lines]
        headers = dict(lines)
        if len(headers) < len(lines):  # some are repeated, and the first counts
            headers = dict(reversed(lines))
            headers = {name: headers[name] for name, _ in lines}
        return headers

    # The body.

    def _announced_size(self, length: str, rules: str) -> int:
        if not _LENGTH.fullmatch(length):
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
