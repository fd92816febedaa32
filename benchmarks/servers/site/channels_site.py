"""What the plain site's view does, and the message comes back over a WebSocket of Channels.

A room has the session's name, so that a page hears what it has posted.
"""

from __future__ import annotations

import json
from typing import Any

from asgiref.sync import async_to_sync
from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncWebsocketConsumer
from channels.layers import get_channel_layer
from channels.routing import ProtocolTypeRouter, URLRouter
from channels.sessions import SessionMiddlewareStack
from django.core.asgi import get_asgi_application
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import path
from django.views.decorators.http import require_POST
from plain import page


@require_POST
def send(request: HttpRequest) -> HttpResponse:
    """Push the message to the page that it is from; strangers are refused."""
    fields = json.loads(request.body)
    identity = request.session.get("identity")
    if identity is None:
        return JsonResponse({"status": "error", "code": "unknown-client"}, status=403)
    event = {"type": "page.message", "text": fields["message"]}
    async_to_sync(get_channel_layer().group_send)(identity, event)
    return JsonResponse({"status": "ok", "id": fields["id"]})


class Page(AsyncWebsocketConsumer):
    """One page's WebSocket."""

    async def connect(self) -> None:
        """Hear what is sent to the session."""
        self.room = await database_sync_to_async(self.scope["session"].get)("identity")
        await self.channel_layer.group_add(self.room, self.channel_name)
        await self.accept()

    async def disconnect(self, code: int) -> None:
        """Hear nothing any more."""
        await self.channel_layer.group_discard(self.room, self.channel_name)

    async def page_message(self, event: dict[str, Any]) -> None:
        """Pass it on."""
        await self.send(text_data=event["text"])


urlpatterns = [path("plain/", page), path("plain/send/", send)]
websocket = SessionMiddlewareStack(URLRouter([path("plain/socket/", Page.as_asgi())]))
application = ProtocolTypeRouter({"http": get_asgi_application(), "websocket": websocket})
