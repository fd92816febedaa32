"""The names that the site answers to.

Django looks at ``ALLOWED_HOSTS`` too, but under DEBUG its answer is a page with the whole of the
settings, for whoever finds a name that leads here. This one is a sentence that says what to do.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

from django.core.exceptions import DisallowedHost
from django.http import HttpRequest, HttpResponse

from thywill_server.client_interface.django_site import responses
from thywill_server.errors import Refusal

log = logging.getLogger(__name__)

LONGEST_SHOWN = 80


class KnownHostsOnly:
    """Middleware, the first of all: a request for another host ends here."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer a request, or refuse it with ``unknown-host``."""
        try:
            request.get_host()
        except DisallowedHost:
            host = str(request.META.get("HTTP_HOST", ""))[:LONGEST_SHOWN]
            log.warning("a request for the host %r is refused: see ALLOWED_HOSTS", host)
            return responses.error(
                Refusal(
                    "unknown-host",
                    f'This site is not reached by the name "{host}"; the names that it answers to '
                    "are in THYWILL_ALLOWED_HOSTS, see settings.py.",
                )
            )
        return self._get_response(request)
