"""Every error of Orbited, and the numbers that cross the wire.

::

    OrbitedError
    ├── ConfigurationError      a file or a setting is wrong; says where
    ├── PacketError             the browser sent what no client of this protocol sends
    └── RequestError            a request breaks HTTP, or passes a limit; has its status

Numbers reach the page as ``onclose(code)``. 102 to 108 answer the TCP handshake as the text
``0NNN`` and are followed by a ``close`` packet; the others travel as the reason of that packet.
"""

from typing import NamedTuple

__all__ = [
    "CLOSE_REASONS",
    "CODES",
    "Code",
    "ConfigurationError",
    "OrbitedError",
    "PacketError",
    "RequestError",
]


class Code(NamedTuple):
    """One row of the table: what a page is told, and whether trying again makes sense."""

    number: int
    sentence: str
    should_reconnect: bool


CODES = {
    code.number: code
    for code in (
        Code(101, "The connection timed out.", True),
        Code(102, "The handshake was not understood.", False),
        Code(103, "The page closed the connection.", False),
        Code(104, "The back end did not answer in time.", True),
        Code(106, "This page may not connect to that address.", False),
        Code(108, "The back end refused the connection.", True),
        Code(201, "The back end closed the connection.", True),
        Code(202, "The browser read too slowly; what waited for it was dropped.", True),
        Code(203, "The server is stopping; connect again, elsewhere if there is another.", True),
        Code(301, "A test ended the connection.", False),
    )
}

INVALID_HANDSHAKE = 102
CONNECT_TIMEOUT = 104
UNAUTHORIZED = 106
CONNECT_FAILED = 108

#: Reason of a ``close`` packet to the number that it stands for. A client that does not know
#: a reason, as the one of 2010, takes every ``close`` for 201.
CLOSE_REASONS = {
    "loseConnection": 201,
    "timeout": 101,
    "slowConsumer": 202,
    "goingAway": 203,
}


class OrbitedError(Exception):
    """Base of all errors of this package."""


class ConfigurationError(OrbitedError):
    """A setting is wrong.

    Args:
        problem: the sentence, naming thing, value and expectation.
        path: the file, if it came from one.
        line: 1 for the first line of the file, or None.
    """

    def __init__(self, problem: str, path: str | None = None, line: int | None = None) -> None:
        self.problem = problem
        self.path = path
        self.line = line
        place = "" if path is None else path if line is None else f"{path}:{line}"
        super().__init__(f"{place}: {problem}" if place else problem)


class PacketError(OrbitedError):
    """What the browser sent is not a list of packets, or passes a limit."""


class RequestError(OrbitedError):
    """A request cannot be taken; it is answered with this, and the connection ends.

    Args:
        status: of the answer, 400 to 599.
        sentence: the body of the answer; names nothing of what was sent.
    """

    def __init__(self, status: int, sentence: str) -> None:
        self.status = status
        self.sentence = sentence
        super().__init__(f"{status} {sentence}")
