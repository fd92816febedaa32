"""Pages of a site's own, with an application in them and policies of their own."""

from django.http import HttpRequest, HttpResponse
from django.template import engines
from django.urls import include, path

from thywill_server.client_interface.django_site import embeds_thywill

TEMPLATE = """{% load thywill %}<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>My own page</title></head>
<body><h1>Above</h1>{% thywill "proof_of_concept" %}<p id="below">Below</p></body></html>
"""
POLICY = "default-src 'none'; img-src 'self' data:; base-uri 'none'"


@embeds_thywill
def own(request: HttpRequest) -> HttpResponse:
    """Show the echo within a page of one's own."""
    page = HttpResponse(engines["django"].from_string(TEMPLATE).render({}, request))
    page["Content-Security-Policy"] = POLICY
    return page


urlpatterns = [
    path("own/", own),
    path("", include("thywill_server.client_interface.django_site.root_urls")),
]
