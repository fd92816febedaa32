"""Every bound of the broker: its name, its default, and what happens when it is reached.

These are also words of the configuration file (``max_body_bytes=65536``). Where a
code is named, the connection gets an ERROR frame with it (see ``morbid.errors``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Final

from morbid.errors import ConfigurationError
from stompservice.protocol import Limits as FrameLimits

LARGEST: Final = 10**15
"""No bound may be larger; keeps infinity and not-a-number out."""


def _limit(default: Any, meaning: str, at_least: float = 1) -> Any:
    return field(default=default, metadata={"help": meaning, "at_least": at_least})


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The bounds of one broker. Numbers are integers; times, in seconds, may be fractions."""

    # One frame.
    max_headers: int = _limit(100, "header lines in one frame; more: frame-too-large")
    max_header_line_bytes: int = _limit(
        10_240, "one header line as it is on the wire; longer: frame-too-large"
    )
    max_head_bytes: int = _limit(
        65_536, "command and headers of one frame together; more: frame-too-large"
    )
    max_body_bytes: int = _limit(4_194_304, "one body; longer: frame-too-large", 0)
    max_login_bytes: int = _limit(
        65_536, "head and body of the frame that logs in, each; more: frame-too-large"
    )
    max_pending_bytes: int = _limit(
        262_144,
        "what may wait while an authenticator or authorizer is asked; more: too-much-pending",
    )

    # One connection.
    max_subscriptions: int = _limit(1_000, "subscriptions; more: too-many-subscriptions")
    max_unacknowledged: int = _limit(
        1_000, "queue messages out for acknowledgement; the connection is then passed over"
    )
    max_outgoing_bytes: int = _limit(
        8_388_608,
        "what waits for a connection that does not read, beside the 64 kB of its transport; "
        "more: slow-consumer (the messages themselves are held once for all who wait)",
    )
    max_transactions: int = _limit(10, "open transactions; more: too-many-transactions")
    max_transaction_frames: int = _limit(
        1_000, "frames in all open transactions; more: transaction-too-large"
    )
    max_transaction_bytes: int = _limit(
        8_388_608, "bytes in all open transactions; more: transaction-too-large"
    )

    # The whole broker.
    max_connections: int = _limit(20_000, "connections; more: too-many-connections")
    max_connections_per_address: int = _limit(
        1_000,
        "connections from one address, loopback and in-process ones not counted (they are "
        "proxies); more: too-many-connections-from-address",
    )
    max_destinations: int = _limit(100_000, "destinations; more: too-many-destinations")
    max_queue_messages: int = _limit(10_000, "messages in one queue; more: queue-full")
    max_queue_bytes: int = _limit(16_777_216, "bytes in one queue; more: queue-full")
    max_total_queue_bytes: int = _limit(268_435_456, "bytes in all queues; more: queue-full")
    max_refused_logins: int = _limit(
        10_000,
        "logins and sessions that the site has ended with refuse-seconds; beyond it the oldest is "
        "forgotten",
    )
    max_nacks: int = _limit(
        10, "times that one message may be refused with NACK; it is then dropped and counted"
    )

    # Time.
    login_seconds: float = _limit(
        10.0, "from connecting to a complete CONNECT; longer: login-timeout", 0.01
    )
    decision_seconds: float = _limit(
        30.0, "an authenticator or authorizer may take; longer: decision-timeout", 0.01
    )
    frame_seconds: float = _limit(
        60.0, "from the first to the last byte of a frame; longer: frame-timeout", 0.01
    )
    close_seconds: float = _limit(
        5.0, "a closing connection may take to read what is left; then it is cut off", 0.01
    )
    heart_beat_send_ms: int = _limit(
        1_000, "shortest period at which the broker sends heart-beats; 0: it sends none", 0
    )
    heart_beat_receive_ms: int = _limit(
        10_000, "shortest period at which it asks clients for theirs; 0: it asks for none", 0
    )
    heart_beat_grace: float = _limit(
        2.0, "agreed periods without a byte from the client; more: heart-beat-timeout", 1
    )

    def __post_init__(self) -> None:
        for bound in fields(self):
            value = getattr(self, bound.name)
            if not bound.metadata["at_least"] <= value < LARGEST:
                raise ConfigurationError(
                    f"{bound.name}: expected at least {bound.metadata['at_least']}, got {value}"
                )

    @classmethod
    def from_options(cls, options: Mapping[str, str]) -> Limits:
        """Read the bounds out of configuration options; other options are passed over.

        Raises:
            ConfigurationError: not a number, or a number out of range.
        """
        values: dict[str, Any] = {}
        for bound in fields(cls):
            text = options.get(bound.name)
            if text is None:
                continue
            kind = float if isinstance(bound.default, float) else int
            try:
                values[bound.name] = kind(text)
            except ValueError:
                raise ConfigurationError(f"{bound.name}: expected a number, got {text!r}") from None
        return cls(**values)

    def frame_limits(self) -> FrameLimits:
        """The part that the parser watches over."""
        return FrameLimits(
            max_headers=self.max_headers,
            max_header_line_bytes=self.max_header_line_bytes,
            max_head_bytes=self.max_head_bytes,
            max_body_bytes=self.max_body_bytes,
        )

    def login_limits(self) -> FrameLimits:
        """The same before the login."""
        return FrameLimits(
            max_headers=self.max_headers,
            max_header_line_bytes=min(self.max_header_line_bytes, self.max_login_bytes),
            max_head_bytes=min(self.max_head_bytes, self.max_login_bytes),
            max_body_bytes=min(self.max_body_bytes, self.max_login_bytes),
        )
