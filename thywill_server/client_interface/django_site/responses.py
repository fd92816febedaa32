"""The JSON that /thywill/ answers with: always an object with ``status``, never cached."""

from __future__ import annotations

import math
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.views.csrf import csrf_failure as django_csrf_failure

from thywill_server.client_interface.django_site.recent_replies import Answer
from thywill_server.encoding import Json, encode_json
from thywill_server.errors import Refusal, TooManyRequests

NAMESPACE = "thywill"
"""Of our URLs: a request that resolved to it gets JSON, whatever happens."""

RETRY_AFTER_SECONDS = 2


def ok_answer(**fields: Json) -> Answer:
    """Say that it went well.

    Raises:
        TypeError, ValueError: a field has no form in JSON.
    """
    return Answer(200, encode_json({"status": "ok", **fields}))


def error_answer(refusal: Refusal, message_id: str | None = None) -> Answer:
    """Say what was refused, in a code for programs and a sentence for people."""
    fields: dict[str, Any] = {
        "status": "error",
        "code": refusal.code,
        "message": refusal.sentence,
        "id": message_id,
    }
    if isinstance(refusal, TooManyRequests):
        fields["retry_after"] = refusal.retry_after_seconds
        seconds = math.ceil(refusal.retry_after_seconds)  # RFC 9110, section 10.2.3
        return Answer(refusal.status, encode_json(fields), refusal.may_retry, seconds)
    return Answer(refusal.status, encode_json(fields), refusal.may_retry)


def response(answer: Answer) -> HttpResponse:
    """Make an HTTP response of an answer."""
    result = HttpResponse(answer.body, status=answer.status, content_type="application/json")
    result["Cache-Control"] = "no-store"
    result["X-Content-Type-Options"] = "nosniff"
    result["Content-Length"] = str(len(answer.body))
    seconds = answer.retry_after_seconds
    if seconds is not None or answer.status == 503:
        result["Retry-After"] = str(seconds or RETRY_AFTER_SECONDS)
    return result


def error(refusal: Refusal, message_id: str | None = None) -> HttpResponse:
    """Answer with a refusal."""
    return response(error_answer(refusal, message_id))


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Answer a POST without a valid CSRF token: JSON for our URLs, Django's page for others."""
    match = request.resolver_match
    if match is not None and NAMESPACE in match.namespaces:
        return error(Refusal("csrf-failed"))
    return django_csrf_failure(request, reason=reason)
