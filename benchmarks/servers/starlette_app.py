"""Rooms on Starlette.

/ws/ROOM receives what is sent to the room, /pub/ROOM only sends; POST /send/ROOM sends its body.
"""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

rooms: dict[str, set[WebSocket]] = {}


async def broadcast(room: str, text: str) -> None:
    for socket in list(rooms.get(room, ())):
        await socket.send_text(text)


async def converse(socket: WebSocket) -> None:
    room = socket.path_params["room"]
    members = rooms.setdefault(room, set())
    await socket.accept()
    if socket.url.path.startswith("/ws/"):
        members.add(socket)
    try:
        while True:
            await broadcast(room, await socket.receive_text())
    except WebSocketDisconnect:
        pass
    finally:
        members.discard(socket)


async def send(request: Request) -> PlainTextResponse:
    await broadcast(request.path_params["room"], (await request.body()).decode())
    return PlainTextResponse("OK")


app = Starlette(
    routes=[
        WebSocketRoute("/ws/{room}", converse),
        WebSocketRoute("/pub/{room}", converse),
        Route("/send/{room}", send, methods=["POST"]),
    ]
)
