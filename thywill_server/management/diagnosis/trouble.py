"""What keeps a message from going on, and what to do about it."""

from __future__ import annotations


class Trouble(Exception):  # noqa: N818 - it says what is found, not what went wrong in here
    """A hop does not work.

    Args:
        what: one clause that says what was seen.
        remedy: one sentence that says what to do.
    """

    def __init__(self, what: str, remedy: str) -> None:
        super().__init__(what)
        self.what, self.remedy = what, remedy


def reason(error: BaseException) -> str:
    """Give the few words of a failed connection, such as "Connection refused"."""
    inner = getattr(error, "reason", None)
    if isinstance(inner, BaseException):
        return reason(inner)
    if isinstance(error, TimeoutError):
        return "no answer in time"
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
