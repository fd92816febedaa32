"""Rooms on Django Channels, with the addresses of starlette_app.py.

Environment: LAYER is memory, redis or pubsub (Redis as well), REDIS_PORT.
"""

from __future__ import annotations

import os
from typing import Any

import django
from django.conf import settings

REDIS = {"capacity": 1000, "hosts": [("127.0.0.1", int(os.environ.get("REDIS_PORT", "6379")))]}
LAYERS: dict[str, dict[str, Any]] = {
    "memory": {
        "BACKEND": "channels.layers.InMemoryChannelLayer",
        "CONFIG": {"capacity": 1000},
    },
    "redis": {"BACKEND": "channels_redis.core.RedisChannelLayer", "CONFIG": REDIS},
    "pubsub": {
        "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
        "CONFIG": {"hosts": REDIS["hosts"]},
    },
}
settings.configure(
    DEBUG=False,
    SECRET_KEY="benchmark",
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF=__name__,
    INSTALLED_APPS=["channels"],
    MIDDLEWARE=["django.middleware.common.CommonMiddleware"],
    CHANNEL_LAYERS={"default": LAYERS[os.environ.get("LAYER", "memory")]},
    LOGGING_CONFIG=None,
)
django.setup()

from channels.generic.websocket import AsyncWebsocketConsumer  # noqa: E402
from channels.layers import get_channel_layer  # noqa: E402
from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402
from django.core.asgi import get_asgi_application  # noqa: E402
from django.http import HttpRequest, HttpResponse  # noqa: E402
from django.urls import path, re_path  # noqa: E402


async def send(request: HttpRequest, room: str) -> HttpResponse:
    message = {"type": "room.message", "text": request.body.decode()}
    await get_channel_layer().group_send(room, message)
    return HttpResponse("OK", content_type="text/plain")


urlpatterns = [path("send/<str:room>", send)]


class Room(AsyncWebsocketConsumer):
    async def connect(self) -> None:
        way, self.room = self.scope["path"].strip("/").split("/")
        self.is_member = way == "ws"
        if self.is_member:
            await self.channel_layer.group_add(self.room, self.channel_name)
        await self.accept()

    async def disconnect(self, code: int) -> None:
        if self.is_member:
            await self.channel_layer.group_discard(self.room, self.channel_name)

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        await self.channel_layer.group_send(self.room, {"type": "room.message", "text": text_data})

    async def room_message(self, event: dict[str, Any]) -> None:
        await self.send(text_data=event["text"])


application = ProtocolTypeRouter(
    {"http": get_asgi_application(), "websocket": URLRouter([re_path(r"", Room.as_asgi())])}
)
