"""The chat's own addresses, under /chat/: signing in and out, and a short way to the page."""

from django.urls import path
from django.views.generic import RedirectView

from thywill_apps.chat import views

app_name = "chat"

HOME = RedirectView.as_view(pattern_name="thywill:init", query_string=True)

urlpatterns = [
    path("", HOME, {"name": "chat"}, name="home"),
    path("sign-in/", views.SignIn.as_view(), name="sign_in"),
    path("sign-up/", views.SignUp.as_view(), name="sign_up"),
    path("sign-out/", views.SignOut.as_view(), name="sign_out"),
]
