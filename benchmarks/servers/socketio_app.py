"""Rooms on python-socketio: ``join`` ROOM, ``pub`` ROOM TEXT."""

from __future__ import annotations

import socketio

server = socketio.AsyncServer(async_mode="asgi", transports=["websocket"], cors_allowed_origins="*")
app = socketio.ASGIApp(server)


@server.on("join")
async def join(session: str, room: str) -> None:
    await server.enter_room(session, room)
    await server.emit("joined", room, to=session)


@server.on("pub")
async def publish(session: str, room: str, text: str) -> None:
    await server.emit("msg", text, room=room)
