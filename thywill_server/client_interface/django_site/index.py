"""The page at the site's root: what is installed, and where the site's own pages are."""

from __future__ import annotations

import ipaddress
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, cast

from django.apps import apps as django_apps
from django.conf import settings
from django.contrib import admin
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.templatetags.static import static
from django.urls import NoReverseMatch, reverse
from django.utils.cache import patch_cache_control

from thywill_server import apps
from thywill_server.application.base import Listing
from thywill_server.client_interface.django_site.answering import answering
from thywill_server.components import Components
from thywill_server.errors import ConfigurationError

log = logging.getLogger(__name__)

CONTENT_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self' data:; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'"
)
"""The Content-Security-Policy of this page, which has no script."""

PASSED_ON = ("HTTP_FORWARDED", "HTTP_X_FORWARDED_FOR", "HTTP_VIA")
"""Headers that say that the request came by a proxy."""


@dataclass(frozen=True, slots=True)
class Card:
    """One application on the page.

    Attributes:
        listing: what its component tells of it.
        address: its page.
        picture: the address of its icon, or None.
    """

    listing: Listing
    address: str
    picture: str | None


@answering("GET", "HEAD", has_debug_page=True)
def index(request: HttpRequest) -> HttpResponse:
    """List the applications; or lead to the default one, where the site wants no list.

    When the site cannot start, an application being broken for example, its author reads the
    sentences of ``manage.py check`` here; strangers read ``site-failed``, as everywhere.
    """
    try:
        components = apps.start_components()
    except ConfigurationError as error:
        if not settings.DEBUG:
            raise
        log.error("the site cannot start: %s", error)
        return _page(request, 500, {"problems": error.problems})
    if not components.client_interface.settings.get("index", True):
        return HttpResponseRedirect(reverse("thywill:init"))
    cards = [_card(listing) for listing in components.application.listings()]
    cards.sort(key=lambda card: card.listing.title.casefold())
    return _page(
        request,
        200,
        {
            "cards": cards,
            "links": list(_links(request, components)),
            "default": components.application.default_application,
        },
    )


def _page(request: HttpRequest, status: int, context: dict[str, Any]) -> HttpResponse:
    page = render(
        request, "thywill/index.html", {"debug": settings.DEBUG, **context}, status=status
    )
    page["Content-Security-Policy"] = CONTENT_POLICY
    # It depends on who asks and from where; Django adds Vary when it has looked at the session.
    patch_cache_control(page, private=True, no_cache=True)
    return page


def _card(listing: Listing) -> Card:
    return Card(listing, reverse("thywill:init", args=[listing.name]), _picture(listing))


def _picture(listing: Listing) -> str | None:
    try:
        return static(listing.icon) if listing.icon else None
    except ValueError as error:  # storages with a manifest know all files
        log.warning("application %s: its icon is not there: %s", listing.name, error)
        return None


def _links(request: HttpRequest, components: Components) -> Iterator[tuple[str, str, str]]:
    """Give address, name and meaning of the site's own pages that this reader may see."""
    if django_apps.is_installed("django.contrib.admin"):
        is_allowed = hasattr(request, "user") and admin.site.has_permission(cast("Any", request))
        if is_allowed or settings.DEBUG:
            try:
                yield reverse("admin:index"), "Admin", "users, and what applications store"
            except NoReverseMatch:
                pass  # it is installed, and has no address
    monitor = components.push.monitor_url
    if monitor is not None and _is_from_here(request):
        yield monitor, "Monitor", "connections, while they happen"
    if settings.DEBUG:
        yield reverse("thywill:health"), "Health", "what each component says of itself"


def _is_from_here(request: HttpRequest) -> bool:
    """Whether the browser is on this machine: others are not shown the push server's pages."""
    if any(header in request.META for header in PASSED_ON):
        return False
    try:
        return ipaddress.ip_address(request.META.get("REMOTE_ADDR", "")).is_loopback
    except ValueError:
        return False  # a socket of the file system, behind a server
