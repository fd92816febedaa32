"""The project's addresses, and plain ones to log in and out, as no real site may have them."""

from django.contrib.auth import login, logout
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.urls import include, path


def log_in(request: HttpRequest, name: str) -> HttpResponse:
    """Log in as somebody, who is made."""
    user, _ = User.objects.get_or_create(username=name)
    login(request, user, "django.contrib.auth.backends.ModelBackend")
    return HttpResponse("in")


def log_out(request: HttpRequest) -> HttpResponse:
    """Log out."""
    logout(request)
    return HttpResponse("out")


def flush(request: HttpRequest) -> HttpResponse:
    """End the session without a word to Django's users."""
    request.session.flush()
    return HttpResponse("flushed")


urlpatterns = [
    path("in/<str:name>/", log_in),
    path("out/", log_out),
    path("flush/", flush),
    path("", include("thywill_server.client_interface.django_site.root_urls")),
]
