"""An application package of Python, served from a process of its own over STOMP.

``python -m tests.support.remote_application PORT PACKAGE`` says ``ready`` and goes on until it is
killed. It is what the contract's suite gives to a site whose applications are elsewhere.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import Any

import django

from stompservice.protocol import Frame
from tests.support.recording import RecordingPush
from tests.support.stomp_page import StompPage
from thywill_server.application.base import ApplicationComponent, ClientMessage
from thywill_server.application.local_python import LocalPython
from thywill_server.client import Client
from thywill_server.client_configuration import ClientConfiguration
from thywill_server.errors import ApplicationError
from thywill_server.push.base import TEXT_TYPE, PushMessage

CLIENT = "to "


def serve(port: int, package: str) -> None:
    """Read messages, give them to the application, and write its replies."""
    push = RecordingPush({})
    component = LocalPython({"packages": [package]}, push=push)
    (name,) = component.application_names()
    page = StompPage(port, "guest", "guest")
    page._socket.settimeout(None)
    assert page.subscribe(f"/queue/thywill.application.{name}").command == "RECEIPT"
    print("ready", flush=True)  # noqa: T201 - the answer to the tests' process
    while True:
        frame = page.receive()
        request = json.loads(frame.body)
        reply = answer(component, push, request)
        if "reply-to" in frame.headers:
            page.send("SEND", reply_headers(frame), json.dumps(reply).encode())


def reply_headers(frame: Frame) -> dict[str, str]:
    """Where a reply goes, and to which message it belongs."""
    names = {"destination": "reply-to", "correlation-id": "correlation-id"}
    return {name: frame.headers[header] for name, header in names.items()}


def answer(component: ApplicationComponent, push: RecordingPush, request: Any) -> dict[str, Any]:
    """Call the application; gives a reply with what it has sent meanwhile."""
    push.published.clear()
    try:
        reply = {"status": "ok", "reply": result(component, request)}
    except ApplicationError as refusal:
        reply = {
            "status": "error",
            "code": refusal.code,
            "message": refusal.sentence,
            "http_status": refusal.status,
        }
    except Exception as error:
        reply = {"status": "failed", "message": f"{type(error).__name__}: {error}"}
    return {**reply, "send": [sending(*each) for each in push.published]}


def result(component: ApplicationComponent, request: Any) -> Any:
    """What one kind of request asks for."""
    told = request["client"]
    client = Client(told["uuid"], None, None, request["application"])
    if request["kind"] == "message":
        message = ClientMessage(request["id"], request["command"], request["message"])
        return component.receive(client, message)
    if request["kind"] == "bootstrap":
        configuration = ClientConfiguration(client.uuid)
        component.bootstrap_client(client, configuration)
        return {
            "parameters": configuration.application_parameters,
            "scripts": [each["resource"] for each in configuration.application_resources],
        }
    raise ValueError(f"unknown kind {request['kind']}")


def sending(destination: str, message: PushMessage) -> dict[str, Any]:
    """What the site is to send in the application's place."""
    target = {"client": destination.removeprefix(CLIENT)}
    decode: Callable[[bytes], Any] = bytes.decode
    value = (decode if message.content_type == TEXT_TYPE else json.loads)(message.body)
    if message.event is None:
        return {**target, "message": value}
    return {**target, "event": message.event, "data": value}


if __name__ == "__main__":
    django.setup()
    serve(int(sys.argv[1]), sys.argv[2])
