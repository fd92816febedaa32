"""What can go wrong in the broker, by whose fault it is.

::

    MorbidError
    +-- Refused               a peer asked for what it cannot have; it gets an ERROR frame
    +-- ConfigurationError    we were set up wrongly; start-up ends with one sentence

Everything that a peer is ever told is in the table below: a code for programs, the
``message`` header and the sentence for people, and whether the connection ends. The
codes and the first four messages do not change; the sentences may.

STOMP 1.1 and 1.2 want the connection closed after any ERROR. Clients of 1.0 know
the refusals of rights as something one goes on after, so those leave a 1.0 connection
open; so do a full queue, and an UNSUBSCRIBE that changes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from stompservice.protocol import V10, V12, Frame, encode


@dataclass(frozen=True, slots=True)
class Refusal:
    """One row of the table.

    Attributes:
        code: the ERROR frame's ``code`` header.
        message: its ``message`` header.
        sentence: its body.
        closes_v10: whether a 1.0 connection ends too; all others always end.
    """

    code: str
    message: str
    sentence: str
    closes_v10: bool = True

    def closes(self, version: str) -> bool:
        """Whether the connection ends after this ERROR."""
        return self.closes_v10 or version != V10

    def encode(
        self, version: str = V12, detail: str = "", headers: dict[str, str] | None = None
    ) -> bytes:
        """Build the ERROR frame.

        Args:
            version: of the connection.
            detail: put after the sentence; never anything internal.
            headers: more headers, ``receipt-id`` for instance.
        """
        body = f"{self.sentence}: {detail}" if detail else self.sentence
        frame = Frame(
            "ERROR",
            {
                "message": self.message,
                "code": self.code,
                "content-type": "text/plain",
                **(headers or {}),
            },
            body.encode("utf-8", "replace"),
        )
        return encode(frame, version)


class MorbidError(Exception):
    """Everything that this package raises."""


class Refused(MorbidError):  # noqa: N818 - it names what happened to the peer
    """A peer asked for what it cannot have; its connection gets ``refusal`` as ERROR."""

    def __init__(self, refusal: Refusal, detail: str = "") -> None:
        super().__init__(f"{refusal.code}: {detail or refusal.sentence}")
        self.refusal = refusal
        self.detail = detail


class ConfigurationError(MorbidError):
    """A setting is missing or wrong; the message names the file and the line."""


# Who may come in, and do what. The first four texts are those of MorbidQ 0.8.
LOGIN_REFUSED: Final = Refusal("login-refused", "Invalid ID or password", "Invalid ID or password")
CREATE_REFUSED: Final = Refusal(
    "create-refused", "CREATE error", "Not authorized to create queue", closes_v10=False
)
READ_REFUSED: Final = Refusal(
    "read-refused", "READ error", "Not authorized to read queue", closes_v10=False
)
WRITE_REFUSED: Final = Refusal(
    "write-refused", "WRITE error", "Not authorized to write to queue", closes_v10=False
)
LOGIN_TIMEOUT: Final = Refusal("login-timeout", "Login timeout", "No CONNECT frame arrived in time")
DECISION_TIMEOUT: Final = Refusal(
    "decision-timeout", "Decision timeout", "Whether this is allowed was not decided in time"
)
SESSION_EXPIRED: Final = Refusal(
    "session-expired", "Session expired", "What this connection logged in with has expired"
)
DISCONNECTED: Final = Refusal("disconnected", "Disconnected", "The site has ended this connection")

# Frames that are not STOMP, or have no place where they came.
MALFORMED_FRAME: Final = Refusal("malformed-frame", "Malformed frame", "Not a STOMP frame")
NOT_CONNECTED: Final = Refusal(
    "not-connected", "Not connected", "The first frame has to be CONNECT or STOMP"
)
ALREADY_CONNECTED: Final = Refusal(
    "already-connected", "Already connected", "This connection is logged in already"
)
UNSUPPORTED_VERSION: Final = Refusal(
    "unsupported-version", "Unsupported version", "This broker speaks STOMP 1.0, 1.1 and 1.2"
)
UNKNOWN_COMMAND: Final = Refusal(
    "unknown-command", "Unknown command", "There is no such command in this version of STOMP"
)
MISSING_HEADER: Final = Refusal(
    "missing-header", "Missing header", "This frame has to have the header"
)
BAD_HEADER: Final = Refusal("bad-header", "Bad header", "A header has an impossible value")
SUBSCRIPTION_EXISTS: Final = Refusal(
    "subscription-exists", "Subscription exists", "This subscription id is in use"
)
UNKNOWN_SUBSCRIPTION: Final = Refusal(
    "unknown-subscription",
    "Unknown subscription",
    "There is no such subscription",
    closes_v10=False,
)
NOT_SUBSCRIBABLE: Final = Refusal(
    "not-subscribable", "Not subscribable", "This destination cannot be subscribed"
)
UNKNOWN_MESSAGE: Final = Refusal(
    "unknown-message", "Unknown message", "No such message was sent to this connection"
)
TRANSACTION_EXISTS: Final = Refusal(
    "transaction-exists", "Transaction exists", "This transaction has begun already"
)
UNKNOWN_TRANSACTION: Final = Refusal(
    "unknown-transaction", "Unknown transaction", "There is no such transaction"
)

# Limits. The setting is named beside each in morbid.limits.
FRAME_TOO_LARGE: Final = Refusal("frame-too-large", "Frame too large", "Beyond a limit")
FRAME_TIMEOUT: Final = Refusal(
    "frame-timeout", "Frame timeout", "A frame was begun and not ended in time"
)
HEART_BEAT_TIMEOUT: Final = Refusal(
    "heart-beat-timeout", "Heart-beat timeout", "Nothing came for longer than agreed"
)
TOO_MUCH_PENDING: Final = Refusal(
    "too-much-pending", "Too much pending", "Too many bytes came while a decision was awaited"
)
TOO_MANY_SUBSCRIPTIONS: Final = Refusal(
    "too-many-subscriptions", "Too many subscriptions", "This connection has as many as it may"
)
TOO_MANY_DESTINATIONS: Final = Refusal(
    "too-many-destinations", "Too many destinations", "The broker has as many as it may"
)
TOO_MANY_TRANSACTIONS: Final = Refusal(
    "too-many-transactions", "Too many transactions", "This connection has as many as it may"
)
TRANSACTION_TOO_LARGE: Final = Refusal(
    "transaction-too-large", "Transaction too large", "A transaction holds as much as it may"
)
QUEUE_FULL: Final = Refusal(
    "queue-full", "Queue full", "The queue holds as much as it may", closes_v10=False
)
SLOW_CONSUMER: Final = Refusal(
    "slow-consumer", "Slow consumer", "Messages came faster than this connection took them"
)
TOO_MANY_CONNECTIONS: Final = Refusal(
    "too-many-connections", "Too many connections", "The broker has as many as it may"
)
TOO_MANY_FROM_ADDRESS: Final = Refusal(
    "too-many-connections-from-address",
    "Too many connections",
    "There are as many from this address as there may be",
)

# The broker itself.
SHUTTING_DOWN: Final = Refusal(
    "shutting-down", "Shutting down", "The broker is going down; connect again later"
)
INTERNAL_ERROR: Final = Refusal("internal-error", "Internal error", "The broker made a mistake")

REFUSALS: Final = {row.code: row for row in globals().copy().values() if isinstance(row, Refusal)}
"""Every row, by code."""
