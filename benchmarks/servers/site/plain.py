"""What a page would post to without thywill: JSON in, JSON out, from a known session."""

from __future__ import annotations

import json
import secrets

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.middleware.csrf import get_token
from django.urls import path
from django.views.decorators.http import require_GET, require_POST


@require_GET
def page(request: HttpRequest) -> HttpResponse:
    """Begin a session; its CSRF token is the answer."""
    request.session["identity"] = secrets.token_urlsafe(16)
    return HttpResponse(get_token(request))


@require_POST
def send(request: HttpRequest) -> HttpResponse:
    """Answer with the message; strangers are refused."""
    fields = json.loads(request.body)
    if "identity" not in request.session:
        return JsonResponse({"status": "error", "code": "unknown-client"}, status=403)
    return JsonResponse({"status": "ok", "id": fields["id"], "reply": fields["message"]})


urlpatterns = [path("plain/", page), path("plain/send/", send)]
