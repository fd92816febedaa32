"""What surrounds every view: the right method, and an answer in JSON whatever happens inside."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.conf import settings
from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.db import connections
from django.http import Http404, HttpRequest, HttpResponse

from thywill_server.client_interface.django_site import responses
from thywill_server.errors import Refusal
from thywill_server.log.context import log_context, new_request_id

log = logging.getLogger(__name__)

View = Callable[..., HttpResponse]


def answering(*methods: str, has_debug_page: bool = False) -> Callable[[View], View]:
    """Make a view answer in JSON, with a code, whatever goes wrong in it.

    A refusal is answered with its code, what Django calls suspicious with ``malformed-message``,
    and any other exception with ``site-failed``, after it was logged: no peer sees a traceback.
    What is logged meanwhile has an id of the request.

    Args:
        methods: what the view takes; any other is refused.
        has_debug_page: whether the view is a person's page. Then, under DEBUG, a mistake is shown
            to its author by Django, and PermissionDenied and Http404 are always Django's.
    """

    def decorate(view: View) -> View:
        @wraps(view)
        def answered(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            with log_context(request=new_request_id()):
                return answer(request, *args, **kwargs)

        def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            try:
                require_method(request, *methods)
                return view(request, *args, **kwargs)
            except Refusal as refusal:
                response = responses.error(refusal)
                if refusal.status == 405:
                    response["Allow"] = ", ".join(methods)  # RFC 9110, section 15.5.6
                return response
            except SuspiciousOperation as error:
                roll_back()
                log.warning("%s is refused: %s", request.path, error)
                return responses.error(Refusal("malformed-message"))
            except Exception as error:
                if has_debug_page and (
                    settings.DEBUG or isinstance(error, (PermissionDenied, Http404))
                ):
                    raise
                roll_back()
                log.exception("%s failed", request.path)
                return responses.error(Refusal("site-failed"))

        return answered

    return decorate


def require_method(request: HttpRequest, *methods: str) -> None:
    """Refuse a request with any other method."""
    if request.method not in methods:
        raise Refusal("method-not-allowed", f"Use {' or '.join(methods)} here.")


def roll_back() -> None:
    """With ATOMIC_REQUESTS a refused message must not commit, though the view returns well."""
    for connection in connections.all(initialized_only=True):
        if connection.settings_dict["ATOMIC_REQUESTS"] and connection.in_atomic_block:
            connection.set_rollback(True)
