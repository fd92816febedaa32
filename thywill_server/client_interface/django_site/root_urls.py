"""The addresses of a whole site: thywill, and the default application at the root."""

from django.urls import include, path
from django.views.generic import RedirectView

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="thywill:init")),
    path("thywill/", include("thywill_server.client_interface.django_site.urls")),
]
