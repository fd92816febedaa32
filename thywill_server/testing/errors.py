"""What a virtual browser raises.

The tree::

    Refused                 the site has refused a request of the page, as the page would read it
    AssertionError
    └── NothingCame         what was expected has not come in time; the text shows what has
    TestingError            the test asks for what cannot be
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["NothingCame", "Refused", "TestingError"]


class Refused(Exception):  # noqa: N818 - it is an answer of the site, no mistake
    """The site has refused, with a code.

    When the application has failed (``application-failed``), ``__cause__`` is the exception that
    it raised, so that a test shows its traceback.

    Attributes:
        code: for programs, such as ``not-allowed``; `thywill_server.errors` has them all.
        sentence: for people.
        status: of HTTP; 0 when there was no answer.
        retry_after: seconds, with ``too-many-requests``.
        fields: the answer as a whole.
    """

    def __init__(
        self, code: str, sentence: str, status: int = 0, fields: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__(f"{code}: {sentence}")
        self.code, self.sentence, self.status = code, sentence, status
        self.fields = dict(fields or {})
        self.retry_after: float | None = self.fields.get("retry_after")


class NothingCame(AssertionError):  # noqa: N818 - pytest and unittest show it as a failure
    """What was expected has not come."""


class TestingError(Exception):
    """The test is written in a way that cannot work; the text says what would."""

    __test__ = False
