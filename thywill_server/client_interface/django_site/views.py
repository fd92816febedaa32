"""The addresses under /thywill/: the page, messages, tickets and tokens, the long poll, health."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, cast

from django.conf import settings
from django.core.exceptions import PermissionDenied, TooManyFieldsSent
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.middleware.csrf import get_token
from django.shortcuts import render
from django.urls import resolve

from thywill_server import apps, signals
from thywill_server.application.base import PING, ClientMessage, Join
from thywill_server.application.batch import watching
from thywill_server.client import Client
from thywill_server.client_interface.django_site import identity, responses
from thywill_server.client_interface.django_site.answering import answering, roll_back
from thywill_server.client_interface.django_site.component import DjangoSite
from thywill_server.client_interface.django_site.content_policy import content_policy
from thywill_server.client_interface.django_site.page import (
    TRANSPORTS,
    configure,
    page_context,
)
from thywill_server.client_interface.django_site.posts import Fields, post_only
from thywill_server.client_interface.django_site.recent_replies import Answer
from thywill_server.components import Components
from thywill_server.encoding import Json, encode_json
from thywill_server.errors import Refusal
from thywill_server.log.context import bind
from thywill_server.push.base import PushMessage
from thywill_server.signals import tell

log = logging.getLogger(__name__)

MAX_PING_CHARACTERS = 100
MAX_EPOCH_CHARACTERS = 32
MAX_OFFSET = 2**53 - 1
"""The largest whole number that every JavaScript can hold."""


def _site() -> DjangoSite:
    return cast("DjangoSite", apps.start_components().client_interface)


@answering("GET", "HEAD", has_debug_page=True)
def init(request: HttpRequest, name: str | None = None) -> HttpResponse:
    """Serve the page of an application; every load is a new client."""
    transport = _forced_transport(request)
    components = apps.start_components()
    client = identity.new_client(request, _application_name(components, name), transport)
    bind(client=client.uuid)
    return _page(request, components, client)


def _application_name(components: Components, name: str | None) -> str:
    wanted = name or components.application.default_application
    if wanted is None:
        raise Refusal("unknown-application", "There is no application in this site yet.")
    if wanted not in components.application.application_names():
        raise Refusal("unknown-application", f'There is no application "{wanted}".')
    return wanted


def _forced_transport(request: HttpRequest) -> str | None:
    try:
        transport = request.GET.get("transport")
    except TooManyFieldsSent:
        raise Refusal("malformed-message", "The address has too many parameters.") from None
    if transport not in (None, "", *TRANSPORTS):
        raise Refusal("malformed-message", f"transport: expected one of {', '.join(TRANSPORTS)}.")
    return transport or None


def _page(request: HttpRequest, components: Components, client: Client) -> HttpResponse:
    configuration = configure(request, components, client)
    context = page_context(configuration, client)
    page = render(request, "thywill/page.html", context)
    page["Cache-Control"] = "no-store"
    page["Content-Security-Policy"] = content_policy(
        configuration.content_sources, request.get_host(), request.is_secure()
    )
    return page


@post_only(_site)
def send(request: HttpRequest, fields: Fields) -> HttpResponse:
    """Hand a message to the application, and answer with its reply."""
    client = _client(request, fields)
    if "message" not in fields:
        raise Refusal("malformed-message", 'The field "message" is missing.')
    message = ClientMessage(fields.get("id"), fields.get("command"), fields["message"])
    return responses.response(
        _site().answer_once(client.uuid, message.id, lambda: _handled(client, message))
    )


def _handled(client: Client, message: ClientMessage) -> Answer:
    application = apps.start_components().application
    if message.command == PING:
        return _answer_of(client, message.id, PING, lambda: {"reply": _pinged(client, message)})
    tell(signals.message_received, type(application), client=client, message=message)
    with watching(partial(_note_error, client)):
        return _answer_of(
            client,
            message.id,
            message.command or "no command",
            lambda: {"reply": application.receive(client, message)},
        )


def _pinged(client: Client, message: ClientMessage) -> dict[str, Json]:
    """Push a short text back, and say when it came by where."""
    received_at = time.time()
    if not isinstance(message.content, str) or len(message.content) > MAX_PING_CHARACTERS:
        raise Refusal("invalid-message", "A ping is a short text.")
    moments = apps.start_components().application.ping(client, message.content)
    return {"received_at": received_at, **moments}


def _answer_of(
    client: Client, id_: str | None, what: str, ask: Callable[[], Mapping[str, Json]]
) -> Answer:
    """Ask the application, and answer with what it gives or with what went wrong."""
    try:
        return responses.ok_answer(id=id_, **ask())
    except Refusal as refusal:
        roll_back()
        _note_error(client, what, refusal)
        return responses.error_answer(refusal, id_)
    except PermissionDenied as denial:
        roll_back()
        _note_error(client, what, denial)
        return responses.error_answer(Refusal("not-allowed"), id_)
    except Exception as error:
        roll_back()
        _note_error(client, what, error)
        log.exception(
            "application %s failed on message %s (%s) of client %s",
            client.application,
            id_,
            what,
            client.uuid,
        )
        return responses.error_answer(Refusal("application-failed"), id_)


def _note_error(client: Client, what: str, error: Exception) -> None:
    site = _site()
    if site.has_overlay:
        site.errors.note(client.session_identity, what, error)


@post_only(_site)
def debug(request: HttpRequest, fields: Fields) -> HttpResponse:
    """Tell a page, under DEBUG only, what went wrong lately for it and in its own session."""
    site = _site()
    if not site.has_overlay:
        raise Refusal("not-found")
    client = _client(request, fields)
    errors = site.errors.of(client.session_identity, client.uuid)
    return responses.response(responses.ok_answer(errors=errors))


@post_only(_site)
def channel(request: HttpRequest, fields: Fields) -> HttpResponse:
    """Let a page into a channel: a ticket, and the messages that it does not have."""
    client = _client(request, fields)
    application = apps.start_components().application
    name, id_ = fields.get("channel"), fields.get("id")
    if not isinstance(name, str):
        raise Refusal("malformed-message", 'The field "channel" must be a name.')
    if fields.get("leave") is True:
        application.leave(client, name)
        return responses.response(responses.ok_answer(id=id_, channel=name))
    if fields.get("presence") is True:
        who = partial(application.present, client, name)
        return responses.response(_answer_of(client, id_, f"channel {name:.80}", who))
    asked = Join(name, _after(fields.get("after")), _replay(fields.get("replay")))
    return responses.response(
        _answer_of(client, id_, f"channel {name:.80}", lambda: application.join(client, asked))
    )


def _after(value: Any) -> tuple[str, int] | None:
    if value is None:
        return None
    given = value if isinstance(value, dict) else {}
    epoch, offset = given.get("epoch"), given.get("offset")
    if not isinstance(epoch, str) or len(epoch) > MAX_EPOCH_CHARACTERS or not _is_count(offset):
        raise Refusal("malformed-message", '"after" must be null, or have an epoch and an offset.')
    return epoch, cast("int", offset)


def _replay(value: Any) -> int | None:
    if value is not None and not _is_count(value):
        raise Refusal("malformed-message", '"replay" must be null, or a number from 0 on.')
    return cast("int | None", value)


def _is_count(value: Any) -> bool:
    return type(value) is int and 0 <= value <= MAX_OFFSET


@post_only(_site)
def ticket(request: HttpRequest, fields: Fields) -> HttpResponse:
    """Give a page a new ticket for its push connection."""
    client = _client(request, fields)
    push = apps.start_components().push
    seconds = push.settings.get("ticket_seconds")
    return responses.response(
        responses.ok_answer(
            ticket=push.ticket(client),
            expires_in=seconds,
            destinations=push.destinations_of(client)[1:],
        )
    )


@post_only(_site)
def lease(request: HttpRequest, fields: Fields) -> HttpResponse:
    """Note that a page is there, or that it goes; for brokers that report no connections."""
    client = _client(request, fields)
    if apps.start_components().push.reports_connections:
        raise Refusal("not-found")
    if fields.get("leaving") is True:
        apps.connections().release(client)
    else:
        apps.connections().lease(client)
    return responses.response(responses.ok_answer())


@answering("GET", "HEAD")
def csrf(request: HttpRequest) -> HttpResponse:
    """Give a page a CSRF token that is good now; a log-in has made the one it came with stale.

    Whoever may read this answer is a page of this site, since no other origin is let in: the
    same holds for the page that the first token came with.
    """
    return responses.response(responses.ok_answer(csrf_token=get_token(request)))


@transaction.non_atomic_requests  # it may wait for long
@post_only(_site)
def push(request: HttpRequest, fields: Fields) -> HttpResponse:
    """Give a page what was pushed to it, waiting a while for it; for push in memory only."""
    client = _client(request, fields)
    site = _site()
    in_memory = cast("Any", site.push)
    if not hasattr(in_memory, "wait_for_messages"):
        raise Refusal("not-found")
    after, may_wait = fields.get("after", 0), fields.get("wait", False)
    if type(after) is not int or after < 0 or type(may_wait) is not bool:
        raise Refusal(
            "malformed-message", '"after" must be a number from 0 on, "wait" true or false.'
        )
    # How long it waits, and how many may, is the component's to bound.
    queue = in_memory.keep_for(client)
    found = in_memory.wait_for_messages(client.uuid, after, math.inf if may_wait else 0)
    messages = [_pushed(delivery.id, delivery.message) for delivery in found]
    return responses.response(responses.ok_answer(queue=queue, messages=messages))


def _pushed(id_: int, message: PushMessage) -> dict[str, Any]:
    return {
        "id": id_,
        "body": message.body.decode("utf-8", "replace"),
        "content_type": message.content_type,
        "event": message.event,
        "headers": dict(message.headers),
    }


@answering("GET", "HEAD")
def health(request: HttpRequest) -> HttpResponse:
    """Tell whether every component works; 503 when one does not."""
    components = apps.start_components()
    reports = components.health()
    is_well = all(report.get("status") == "ok" for report in reports.values())
    if not (settings.DEBUG or components.client_interface.settings.get("health_details")):
        reports = {name: {"status": report.get("status")} for name, report in reports.items()}
    if is_well:
        return responses.response(responses.ok_answer(components=reports))
    fields = {"status": "failed", "components": reports}
    return responses.response(Answer(503, encode_json(fields)))


def not_found(request: HttpRequest) -> HttpResponse:
    """Answer in JSON for every other address under /thywill/, or add a forgotten slash."""
    may_redirect = request.method in ("GET", "HEAD") and not request.path.endswith("/")
    if may_redirect and resolve(f"{request.path_info}/").func is not not_found:
        query = request.META.get("QUERY_STRING")
        return HttpResponseRedirect(f"{request.path}/" + (f"?{query}" if query else ""))
    return responses.error(Refusal("not-found"))


def _client(request: HttpRequest, fields: Fields) -> Client:
    client = identity.known_client(request, fields["uuid"], fields["token"])
    bind(client=client.uuid, message_id=fields.get("id"))
    if client.application not in apps.start_components().application.application_names():
        raise Refusal("unknown-application")
    if identity.is_ended(request, client):
        raise Refusal("disconnected")
    return client
