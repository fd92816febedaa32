"""Django's check of CSRF tokens, for those who show the same one with each message.

A page shows the token it was given when it was loaded. Django unmasks it for each request, with a
step of Python for each of its characters. Whether a token fits a secret never changes, so a pair
that Django has found right is remembered, and everything else is Django's to judge.
"""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.middleware.csrf import CsrfViewMiddleware, InvalidTokenFormat

__all__ = ["MAX_KNOWN_TOKENS", "KnownTokens"]

MAX_KNOWN_TOKENS = 4096
"""With one more, all are forgotten."""


class KnownTokens(CsrfViewMiddleware):
    """The check of the token in a header, the first time Django's own.

    Origin and ``Referer`` are looked at every time.
    """

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._known: set[tuple[str, str | None]] = set()

    def _check_token(self, request: HttpRequest) -> None:
        token = request.META.get(settings.CSRF_HEADER_NAME)
        if token is None or request.content_type != "application/json":  # a form may have its own
            super()._check_token(request)  # type: ignore[misc]
            return
        try:
            pair = (token, self._get_secret(request))  # type: ignore[attr-defined]
        except InvalidTokenFormat:
            pair = (token, None)
        if pair not in self._known:
            super()._check_token(request)  # type: ignore[misc]
            if len(self._known) >= MAX_KNOWN_TOKENS:
                self._known.clear()
            self._known.add(pair)
