"""Signing in and out, by Django's own views: a user of the session is one of the whiteboard."""

from __future__ import annotations

from typing import Any, Final

from django.contrib.auth.views import LoginView, LogoutView
from django.http import HttpRequest, HttpResponseBase

CONTENT_POLICY: Final = (
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)
"""The Content-Security-Policy of the form, which needs no script."""


class SignIn(LoginView):
    """A name and a password."""

    next_page = "commands:home"
    template_name = "commands/sign_in.html"
    redirect_authenticated_user = True

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Say what the page may load."""
        response = super().dispatch(request, *args, **kwargs)
        response.headers["Content-Security-Policy"] = CONTENT_POLICY
        return response


class SignOut(LogoutView):
    """The end of the session, and of the connections that its pages have."""

    next_page = "commands:home"
