"""Signing in and out: Django's own views, with pages that look like the chat."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib.auth import login
from django.contrib.auth.forms import AuthenticationForm, UserCreationForm
from django.contrib.auth.views import LoginView, LogoutView, RedirectURLMixin
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.utils.decorators import decorator_from_middleware, method_decorator
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.generic import FormView

from thywill_apps.chat.bounds import may_sign_up

HOME = "chat:home"
BACKEND = "django.contrib.auth.backends.ModelBackend"
CONTENT_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)
"""The Content-Security-Policy of these pages, which need no script at all."""


class _ContentPolicy:
    """Middleware, in Django's words: says what a page may load."""

    def __init__(self, get_response: Callable[..., HttpResponseBase]) -> None:
        self._get_response = get_response

    def process_response(
        self, request: HttpRequest, response: HttpResponseBase
    ) -> HttpResponseBase:
        response.headers["Content-Security-Policy"] = CONTENT_POLICY
        return response


strict = method_decorator(decorator_from_middleware(_ContentPolicy), name="dispatch")


@strict
class SignIn(LoginView):
    """A name and a password."""

    next_page = HOME
    template_name = "chat/sign_in.html"
    authentication_form = AuthenticationForm
    redirect_authenticated_user = True

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Tell the template whether there is another way in."""
        return super().get_context_data(may_sign_up=may_sign_up(), **kwargs)


@strict
@method_decorator([sensitive_post_parameters(), never_cache], name="dispatch")
class SignUp(RedirectURLMixin, FormView):  # type: ignore[type-arg]
    """A new account, where the site lets visitors make one."""

    next_page = HOME
    template_name = "chat/sign_up.html"
    form_class = UserCreationForm

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Answer only where it may be done."""
        if not may_sign_up():
            raise Http404
        return super().dispatch(request, *args, **kwargs)

    def form_valid(self, form: Any) -> HttpResponse:
        """Make the account, and sign in with it."""
        login(self.request, form.save(), BACKEND)
        return super().form_valid(form)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Keep where the visitor was going."""
        return super().get_context_data(next=self.get_redirect_url(), **kwargs)


@strict
class SignOut(LogoutView):
    """The end of the session, and of the connections that its pages have."""

    next_page = HOME
