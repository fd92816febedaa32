"""STOMP without I/O: frames, their parser, and the client's side of a connection.

Standard library only; the broker reads and writes its frames with this too.
"""

from stompservice.errors import EncodeError, FrameError, FrameLimitError
from stompservice.protocol.frame import Frame, encode, encode_headers
from stompservice.protocol.parser import FrameParser, Limits
from stompservice.protocol.spec import V10, V11, V12, VERSIONS, negotiate_version

__all__ = [
    "V10",
    "V11",
    "V12",
    "VERSIONS",
    "EncodeError",
    "Frame",
    "FrameError",
    "FrameLimitError",
    "FrameParser",
    "Limits",
    "encode",
    "encode_headers",
    "negotiate_version",
]
