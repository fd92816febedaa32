"""The addresses of thywill; a site includes them under ``thywill/``."""

from django.urls import path, re_path

from thywill_server.client_interface.django_site import views

app_name = "thywill"

urlpatterns = [
    path("send/", views.send, name="send"),  # first: it is asked for most
    path("init/", views.init, name="init"),
    path("init/<str:name>/", views.init, name="init"),
    path("channel/", views.channel, name="channel"),
    path("ticket/", views.ticket, name="ticket"),
    path("lease/", views.lease, name="lease"),
    path("debug/", views.debug, name="debug"),
    path("csrf/", views.csrf, name="csrf"),
    path("push/", views.push, name="push"),
    path("health/", views.health, name="health"),
    re_path("", views.not_found),
]
