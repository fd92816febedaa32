"""The addresses of a whole site: the list of its applications at the root, thywill, the admin.

An application package with a ``urls.py`` has it under its name: ``thywill_apps/chat/urls.py`` is
what begins with ``/chat/``.
"""

from collections.abc import Iterator
from importlib.util import find_spec

from django.apps import apps
from django.conf import settings
from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path

from thywill_server.client_interface.django_site.index import index
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
    path("", index, name="index"),
    path("thywill/", include("thywill_server.client_interface.django_site.urls")),
    *admin_urls(),
    *application_urls(),
]
