"""Transactions: frames that are held back until COMMIT.

SEND, ACK and NACK with a ``transaction`` header are checked when they arrive (rights,
headers), held, and take effect in order at COMMIT; ABORT and the end of the connection
forget them. STOMP 1.2, "BEGIN", "COMMIT", "ABORT".
"""

from __future__ import annotations

from morbid.errors import (
    TOO_MANY_TRANSACTIONS,
    TRANSACTION_EXISTS,
    TRANSACTION_TOO_LARGE,
    UNKNOWN_TRANSACTION,
    Refused,
)
from morbid.limits import Limits
from stompservice.protocol import Frame


class Transactions:
    """The open transactions of one connection, bounded together."""

    __slots__ = ("_frames", "_held", "_limits", "_size_bytes")

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._held: dict[str, list[Frame]] = {}
        self._frames = 0
        self._size_bytes = 0

    def begin(self, name: str) -> None:
        """Open a transaction.

        Raises:
            Refused: it is open already, or too many are.
        """
        if name in self._held:
            raise Refused(TRANSACTION_EXISTS, name)
        if len(self._held) >= self._limits.max_transactions:
            raise Refused(TOO_MANY_TRANSACTIONS)
        self._held[name] = []

    def check(self, name: str) -> None:
        """Raise ``Refused`` unless the transaction is open."""
        if name not in self._held:
            raise Refused(UNKNOWN_TRANSACTION, name)

    def hold(self, name: str, frame: Frame) -> None:
        """Keep a frame for later.

        Raises:
            Refused: the transaction is not open, or all together are too large.
        """
        self.check(name)
        size_bytes = _size_bytes(frame)
        if (
            self._frames >= self._limits.max_transaction_frames
            or self._size_bytes + size_bytes > self._limits.max_transaction_bytes
        ):
            raise Refused(TRANSACTION_TOO_LARGE, name)
        self._frames += 1
        self._size_bytes += size_bytes
        self._held[name].append(frame)

    def end(self, name: str) -> list[Frame]:
        """Close a transaction and hand out what it held, in order.

        Raises:
            Refused: it is not open.
        """
        self.check(name)
        frames = self._held.pop(name)
        self._frames -= len(frames)
        self._size_bytes -= sum(_size_bytes(frame) for frame in frames)
        return frames


def _size_bytes(frame: Frame) -> int:
    return len(frame.body) + sum(len(name) + len(value) for name, value in frame.headers.items())
