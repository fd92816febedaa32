"""What can go wrong, and the codes that a browser may read about it.

The tree::

    ThywillError
    ├── ConfigurationError      the site is set up wrongly; said at start-up and by system checks
    └── Refusal                 one request is refused; ``code`` and ``sentence`` go to the browser
        ├── ApplicationError    refused by the application, or on its behalf
        ├── TooManyRequests     more often than a rate allows
        └── PushUnavailable     the push queue is full or the push connection is not there

Anything else that escapes while a message is handled is a mistake in a program: it is logged with
its traceback, and the browser reads ``application-failed`` and nothing more.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Code:
    """One code that crosses the wire.

    Attributes:
        name: what a program compares.
        status: the HTTP status of the reply that carries it.
        sentence: what a person reads when the refusal has no words of its own.
        may_retry: whether the same message can be sent again later, unchanged.
    """

    name: str
    status: int
    sentence: str
    may_retry: bool = False


CODES: dict[str, Code] = {
    code.name: code
    for code in (
        Code("malformed-message", 400, "The message could not be read."),
        Code("unknown-host", 400, "This site is not reached by that name."),
        Code("unknown-command", 400, "The application has no such command."),
        Code("invalid-message", 400, "The message is not what the command expects."),
        Code("csrf-failed", 403, "The CSRF token is missing or wrong; load the page again."),
        Code("unknown-client", 403, "This page is not known any more; load it again."),
        Code("disconnected", 403, "The site has ended this connection; load the page again."),
        Code("not-allowed", 403, "This is not allowed."),
        Code("not-found", 404, "There is nothing at this address."),
        Code("unknown-application", 404, "There is no such application."),
        Code("unknown-channel", 404, "There is no such channel."),
        Code("method-not-allowed", 405, "This address takes another method."),
        Code("already-run", 409, "This command runs only once for each page."),
        Code("message-too-large", 413, "The message is too large."),
        Code("unsupported-media-type", 415, "Send JSON, or a form with a field message."),
        Code("too-many-requests", 429, "This comes too often; wait a little.", may_retry=True),
        Code("application-failed", 500, "The application failed on this message."),
        Code("site-failed", 500, "The site failed; its log says why."),
        Code("still-handling", 503, "This message is still being handled.", may_retry=True),
        Code("application-unavailable", 503, "The application does not answer.", may_retry=True),
        Code("push-unavailable", 503, "Messages cannot be pushed at the moment.", may_retry=True),
        Code("application-timeout", 504, "The application did not answer in time."),
    )
}


class ThywillError(Exception):
    """Everything that this package raises on purpose."""


class ConfigurationError(ThywillError):
    """``THYWILL`` is wrong; the text has one sentence a line, naming setting and problem."""

    def __init__(self, *problems: str) -> None:
        super().__init__("\n".join(problems))
        self.problems: Sequence[str] = problems


class Refusal(ThywillError):  # noqa: N818 - an answer to a peer, not a fault of ours
    """One request is refused, in words that the browser may read.

    Args:
        code: usually a name in ``CODES``; applications may have codes of their own.
        sentence: for a person; the code's own sentence by default.
        status: the HTTP status; the code's own by default, 400 for an unlisted code.
    """

    def __init__(self, code: str, sentence: str | None = None, status: int | None = None) -> None:
        known = CODES.get(code)
        self.code = code
        self.sentence = sentence or (known.sentence if known else code)
        self.status = status or (known.status if known else 400)
        self.may_retry = known.may_retry if known else False
        super().__init__(self.sentence)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.code!r}, {self.sentence!r}, {self.status})"


class ApplicationError(Refusal):
    """The application refuses a message: ``raise ApplicationError("too-late", "It is over.")``."""


class TooManyRequests(Refusal):
    """A client asks more often than it may.

    Attributes:
        retry_after_seconds: when the next one is let through.
    """

    def __init__(self, retry_after_seconds: float) -> None:
        super().__init__("too-many-requests")
        self.retry_after_seconds = retry_after_seconds


class PushUnavailable(Refusal):
    """A message cannot be queued for pushing: the queue is full, or nothing is there to take it."""

    def __init__(self, sentence: str | None = None) -> None:
        super().__init__("push-unavailable", sentence)
