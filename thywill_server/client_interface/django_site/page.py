"""What a page is made of, in thywill's own template and in those of others."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.middleware.csrf import get_token
from django.templatetags.static import static

from thywill_server.client import Client
from thywill_server.client_configuration import ClientConfiguration
from thywill_server.client_interface.django_site import identity
from thywill_server.client_interface.django_site.content_policy import extended_policy
from thywill_server.client_interface.django_site.modules import Modules, static_file
from thywill_server.components import Components

TRANSPORTS = ("websocket", "xhrstream", "sse", "longpoll", "poll")
"""What ``?transport=`` may force a page to use."""

START = "thywill/start.js"
"""The last script of a page."""

MODULES = Modules(static_file)

SOURCES = "thywill_content_sources"
"""The attribute of a request whose page has an application: what the application's page needs."""


def configure(request: HttpRequest, components: Components, client: Client) -> ClientConfiguration:
    """Gather what the page is told, with the tokens of this request."""
    configuration = components.client_interface.create_client_configuration(client)
    configuration.set_bootstrap_parameter("csrf_token", get_token(request))
    configuration.set_bootstrap_parameter("client_token", identity.client_token(request, client))
    return configuration


def page_context(configuration: ClientConfiguration, client: Client) -> dict[str, Any]:
    """Give what the templates of pages use."""
    told = configuration.to_dict()
    bootstrap, application = told["bootstrap_resources"], told["application_resources"]
    start = static(START)
    scripts = [r["resource"] for r in bootstrap + application if r["type"] == "javascript"]
    imported = MODULES.imported_by([*scripts, start], may_change=settings.DEBUG)
    return {
        "title": told["application_parameters"].get("title", "thywill"),
        "configuration": told,
        "template": configuration.application_template,
        "stylesheets": [r["resource"] for r in bootstrap + application if r["type"] == "css"],
        "modules": [*imported, *configuration.bootstrap_modules],
        "bootstrap_scripts": [r["resource"] for r in bootstrap if r["type"] == "javascript"],
        "application_scripts": [r["resource"] for r in application if r["type"] == "javascript"],
        "start_script": start,
        "client": client,
        "transports": TRANSPORTS,
    }


def embeds_thywill(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Decorate a view whose template uses ``{% thywill "app" %}``.

    The page is not cached, since it holds tokens; and when the response has a
    Content-Security-Policy of its own, the sources that the application needs are added to it::

        @embeds_thywill
        def lobby(request):
            response = render(request, "lobby.html")
            response["Content-Security-Policy"] = "default-src 'self'"
            return response
    """

    @wraps(view)
    def decorated(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        response = view(request, *args, **kwargs)
        if hasattr(response, "add_post_render_callback"):
            response.add_post_render_callback(lambda rendered: _finish(request, rendered))
        else:
            _finish(request, response)
        return response

    return decorated


def _finish(request: HttpRequest, response: HttpResponseBase) -> None:
    sources = getattr(request, SOURCES, None)
    if sources is None:
        return  # the template has not come past the tag
    response["Cache-Control"] = "no-store"
    for header in ("Content-Security-Policy", "Content-Security-Policy-Report-Only"):
        if header in response:
            response[header] = extended_policy(
                response[header], sources, request.get_host(), request.is_secure()
            )
