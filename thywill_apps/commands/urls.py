"""The whiteboard's own addresses, under /commands/: signing in and out, and a short way to it."""

from django.urls import path
from django.views.generic import RedirectView

from thywill_apps.commands import views

app_name = "commands"

HOME = RedirectView.as_view(pattern_name="thywill:init", query_string=True)

urlpatterns = [
    path("", HOME, {"name": "commands"}, name="home"),
    path("sign-in/", views.SignIn.as_view(), name="sign_in"),
    path("sign-out/", views.SignOut.as_view(), name="sign_out"),
]
