"""The chat's half on the server: who may come in, what is said, who types, and the rooms."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.urls import reverse

from thywill_apps.chat import rooms, talk
from thywill_apps.chat.announcements import ROOMS, typing_channel
from thywill_apps.chat.bounds import bounds, may_sign_up
from thywill_server.application import App, ApplicationError, Client, ClientConfiguration, publish

app = App(
    title="Chat",
    description="Rooms that browsers share on every transport, with a history that stays.",
    scripts=["thywill/connection.js", "chat/chat.js"],
    styles=["thywill/look.css", "chat/chat.css", "chat/log.css"],
    template="chat/page.html",
)


def newest(client: Client, room: str) -> dict[str, Any]:
    """Give a page what it begins with."""
    return talk.page_of(int(room))


@app.channel("chat:{room}", history=bounds().messages_missed, snapshot=newest, presence=True)
def may_read(client: Client, room: str) -> bool:
    """Whether a page may read a room; visitors may where everyone may."""
    return rooms.is_readable(client.user, room)


@app.channel("chat-typing:{room}")
def may_see_typing(client: Client, room: str) -> bool:
    """The same; who types is nothing to keep, so this channel has no history."""
    return rooms.is_readable(client.user, room)


@app.channel(ROOMS)
def may_follow_rooms(client: Client) -> bool:
    """Everybody may hear that the list of rooms has changed; it is not told how."""
    return True


@dataclass
class InRoom:
    """A message that is about a room."""

    room: str


@dataclass
class Say(InRoom):
    """Something to say."""

    text: str


@dataclass
class Earlier(InRoom):
    """What was said before a number?"""

    before: int


@dataclass
class Typing(InRoom):
    """Whether somebody types."""

    is_typing: bool


@dataclass
class MakeRoom:
    """A new room."""

    name: str
    reading: str = "everyone"
    topic: str = ""


@app.on("say", channel="chat:{room}", rate=bounds().say_rate)
def say(client: Client, message: Say) -> dict[str, int]:
    """Say something in a room; the reply is its number."""
    _require_user(client)
    return {"number": talk.say(int(message.room), client.user, message.text).number}


@app.on("earlier", channel="chat:{room}", rate="30/10s")
def earlier(client: Client, message: Earlier) -> dict[str, Any]:
    """Give the messages before one."""
    return talk.page_of(int(message.room), min(message.before, 2**53))


@app.on("typing", channel="chat:{room}", rate=bounds().typing_rate)
def typing(client: Client, message: Typing) -> None:
    """Tell the others that somebody types, or has stopped."""
    _require_user(client)
    told = {"by": client.user.get_username(), "is_typing": message.is_typing}
    publish(typing_channel(int(message.room)), "typing", told)


@app.on("rooms", rate="30/10s")
def list_rooms(client: Client) -> list[dict[str, Any]]:
    """Give the rooms that this client may read."""
    return rooms.listed(client.user)


@app.on("make_room", rate=bounds().room_rate)
def make_room(client: Client, message: MakeRoom) -> dict[str, Any]:
    """Make a room."""
    _require_user(client)
    return rooms.make(client.user, message.name, message.reading, message.topic)


@app.bootstrap
def prepare(client: Client, configuration: ClientConfiguration) -> None:
    """Tell the page who it is, which rooms there are, and its bounds."""
    configuration.set_application_parameter(
        "chat",
        {
            "user": client.user.get_username() if client.is_authenticated else None,
            "rooms": rooms.listed(client.user),
            "messages_in_page": bounds().messages_in_page,
            "max_characters": bounds().max_characters,
            "sign_in": reverse("chat:sign_in"),
            "sign_up": reverse("chat:sign_up") if may_sign_up() else None,
        },
    )


def _require_user(client: Client) -> None:
    if not client.is_authenticated:
        raise ApplicationError("not-allowed", "Sign in to do that.")
