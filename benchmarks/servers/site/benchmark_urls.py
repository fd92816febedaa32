"""The addresses of the shipped site, and those of the view without thywill."""

from plain import urlpatterns as plain

from thywill_server.client_interface.django_site.root_urls import urlpatterns as shipped

urlpatterns = [*plain, *shipped]
