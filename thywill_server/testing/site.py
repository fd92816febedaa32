"""One browser session with the Django site: cookies, pages, and POSTs with all that they need.

Requests go through Django's test client, which is to say through middleware, URLs and views, with
CSRF checks as for a real browser.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, cast
from urllib.parse import urlencode

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser
from django.test import Client
from django.urls import reverse

from thywill_server.testing.commits import run_committed
from thywill_server.testing.errors import Refused, TestingError

__all__ = ["Session"]

VIEWS = "thywill_server.client_interface.django_site.views"
CONFIGURATION = re.compile(
    r'<script id="thywill-configuration" type="application/json">(.*?)</script>', re.DOTALL
)


class Session:
    """What the pages of one browser share: cookies, and so who is logged in."""

    def __init__(self) -> None:
        self._client = Client(enforce_csrf_checks=True, raise_request_exception=True)
        self._is_secure = bool(settings.SECURE_SSL_REDIRECT)

    def log_in(self, user: AbstractBaseUser) -> None:
        """Log a user in, without a password."""
        self._client.force_login(cast("Any", user))  # whatever class the site's users have
        run_committed()

    def log_out(self) -> None:
        """Log out; the session ends."""
        self._client.logout()
        run_committed()

    def load(self, application: str | None, query: Mapping[str, str]) -> tuple[str, dict[str, Any]]:
        """Load the page of an application.

        Returns:
            its HTML, and what the site tells it.

        Raises:
            Refused: the site does not give it.
            TestingError: what came is no page of thywill's.
        """
        name = [application] if application is not None else []
        path = reverse("thywill:init", args=name)
        response = self._client.get(
            f"{path}?{urlencode(query)}" if query else path, secure=self._is_secure
        )
        run_committed()
        text = response.content.decode()
        if response.status_code != 200:
            raise _refused(response.status_code, text, path)
        found = CONFIGURATION.search(text)
        if found is None:
            raise TestingError(f"{path} gave a page without thywill's configuration")
        configuration: dict[str, Any] = json.loads(found[1])
        return text, configuration

    def csrf_token(self, path: str) -> str:
        """Fetch another CSRF token."""
        token: str = json.loads(self._client.get(path, secure=self._is_secure).content)[
            "csrf_token"
        ]
        return token

    def post(self, path: str, fields: Mapping[str, Any], csrf_token: str) -> dict[str, Any]:
        """POST JSON, and read the answer.

        Raises:
            Refused: the site does not say ``ok``.
        """
        with _failures() as failures:
            response = self._client.post(
                path,
                json.dumps(fields),
                content_type="application/json",
                headers={"X-CSRFToken": csrf_token, "Referer": "https://testserver/"},
                secure=self._is_secure,
            )
        run_committed()
        text = response.content.decode()
        if response.status_code == 200:
            answer: dict[str, Any] = json.loads(text)
            return answer
        raise _refused(response.status_code, text, path) from (failures[-1] if failures else None)


def _refused(status: int, text: str, path: str) -> Refused:
    try:
        fields = json.loads(text)
        return Refused(fields["code"], fields["message"], status, fields)
    except (ValueError, LookupError, TypeError):
        return Refused(f"http-{status}", f"{path} answered something unexpected", status)


@contextmanager
def _failures() -> Iterator[list[BaseException]]:
    """Collect the exceptions of the application, which the views log and keep to themselves."""
    found: list[BaseException] = []

    class Collect(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if record.exc_info and record.exc_info[1] is not None:
                found.append(record.exc_info[1])

    handler = Collect()
    logger = logging.getLogger(VIEWS)
    logger.addHandler(handler)
    try:
        yield found
    finally:
        logger.removeHandler(handler)
