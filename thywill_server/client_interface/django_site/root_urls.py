"""The addresses of a whole site: thywill, its applications, the admin, the default one at the root.

An application package with a ``urls.py`` has it under its name: ``thywill_apps/chat/urls.py`` is
what begins with ``/chat/``.
"""

from collections.abc import Iterator
from importlib.util import find_spec

from django.apps import apps
from django.conf import settings
from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path
from django.views.generic import RedirectView

from thywill_server.components import installed_applications


def application_urls() -> Iterator[URLResolver]:
    """Give the addresses of the applications that have some of their own."""
    for package in installed_applications(settings.THYWILL):
        if find_spec(f"{package}.urls") is not None:
            yield path(f"{package.rpartition('.')[2]}/", include(f"{package}.urls"))


def admin_urls() -> Iterator[URLPattern | URLResolver]:
    """Give the addresses of Django's admin, where it is installed."""
    if apps.is_installed("django.contrib.admin"):
        yield path("admin/", admin.site.urls)


urlpatterns = [
    path("", RedirectView.as_view(pattern_name="thywill:init")),
    path("thywill/", include("thywill_server.client_interface.django_site.urls")),
    *admin_urls(),
    *application_urls(),
]
