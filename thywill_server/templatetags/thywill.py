"""``{% load thywill %}``: an application of thywill in a page of one's own."""

from __future__ import annotations

from typing import Any

from django import template
from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from thywill_server import apps
from thywill_server.client_interface.django_site import identity
from thywill_server.client_interface.django_site.page import SOURCES, configure, page_context

register = template.Library()


@register.simple_tag(takes_context=True)
def thywill(context: template.Context, name: str | None = None, *, body: bool = True) -> SafeString:
    """Put an application into the page, where its template shall stand.

    ``{% thywill "chat" %}`` writes its stylesheets, what the page is told, its template and its
    scripts, which run when the whole page is there. Without a name it is the default application;
    ``body=False`` leaves the application's template out. The view is decorated with
    `embeds_thywill`, which also helps with a Content-Security-Policy.

    Raises:
        TemplateSyntaxError: there is no such application, or the page has one already.
    """
    request: Any = context.get("request")
    if request is None:
        raise template.TemplateSyntaxError(
            "{% thywill %} needs the request: add django.template.context_processors.request to "
            "TEMPLATES, and render with a request"
        )
    if hasattr(request, SOURCES):
        raise template.TemplateSyntaxError("{% thywill %}: a page has one application, not two")
    components = apps.start_components()
    wanted = name or components.application.default_application
    known = components.application.application_names()
    if wanted is None or wanted not in known:
        listed = ", ".join(known) or "none"
        raise template.TemplateSyntaxError(
            f'{{% thywill "{wanted}" %}}: there is no such application; there are: {listed}'
        )
    client = identity.new_client(request, wanted, None)
    configuration = configure(request, components, client)
    setattr(request, SOURCES, configuration.content_sources)
    shown = page_context(configuration, client)
    if not body:
        shown["template"] = None
    return render_to_string("thywill/embedded.html", shown, request)
