"""What a back end sent, as WebSocket messages: any bytes, or one STOMP frame each.

A STOMP frame travels as text when it is UTF-8, since old clients know nothing else, and as binary
when it is not. A broker in this process hands the same bytes object to many clients; its frame is
made once, for all of them.
"""

from collections.abc import Callable

from orbited.protocol.stomp_frames import FrameSplitter
from orbited.websocket import binary_frame, is_utf8, text_frame

__all__ = ["LastFrame", "Messages", "RawMessages", "StompMessages"]


class RawMessages:
    """Each piece that comes is a binary message."""

    __slots__ = ()

    def frames(self, data: bytes) -> bytes:
        """Ready for ``send_frames``; may be empty."""
        return binary_frame(data) if data else b""

    def send(
        self, data: bytes, text: Callable[[bytes], None], binary: Callable[[bytes], None]
    ) -> None:
        """Call ``text`` or ``binary`` for each message; for a connection that compresses."""
        if data:
            binary(data)


class LastFrame:
    """What was framed last, shared by all connections of a server."""

    __slots__ = ("framed", "payload")

    def __init__(self) -> None:
        self.payload = self.framed = b""


class StompMessages:
    """Each STOMP frame, and each heart-beat, is a message.

    Args:
        max_frame_bytes: a longer frame goes in pieces.
        last: remembers one frame for everybody.
    """

    __slots__ = ("_last", "_splitter")

    def __init__(self, max_frame_bytes: int, last: LastFrame) -> None:
        self._splitter = FrameSplitter(max_frame_bytes)
        self._last = last

    def frames(self, data: bytes) -> bytes:
        """Ready for ``send_frames``; may be empty."""
        splitter, last = self._splitter, self._last
        if not splitter.is_between_frames:
            return self._framed(splitter.split(data))
        if data is last.payload:
            return last.framed
        framed = self._framed(splitter.split(data))
        if splitter.is_between_frames:
            last.payload, last.framed = data, framed
        return framed

    def send(
        self, data: bytes, text: Callable[[bytes], None], binary: Callable[[bytes], None]
    ) -> None:
        """Call ``text`` or ``binary`` for each message; for a connection that compresses."""
        for message in self._splitter.split(data):
            (text if is_utf8(message) else binary)(message)

    @staticmethod
    def _framed(messages: list[bytes]) -> bytes:
        return b"".join(
            [text_frame(one) if is_utf8(one) else binary_frame(one) for one in messages]
        )


Messages = RawMessages | StompMessages
