"""The echo and a chat room in a process of their own: the least that the settings of a test need.

``python -m tests.support.remote_echo_and_rooms PORT KEY_FILE`` says ``ready`` and serves both until
it is killed.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from tests.support.stomp_page import StompPage
from thywill_server.push.orbited_stomp.tickets import SITE_SUBJECT, issue_ticket

APPLICATIONS = ("proof_of_concept", "rooms")


def serve(port: int, key: bytes) -> None:
    """Answer whatever comes."""
    ticket = issue_ticket(key, subject=SITE_SUBJECT, role="site", seconds=60)
    page = StompPage(port, SITE_SUBJECT, ticket)
    page._socket.settimeout(None)
    for name in APPLICATIONS:
        assert page.subscribe(f"/queue/thywill.application.{name}").command == "RECEIPT"
    print("ready", flush=True)  # noqa: T201 - the answer to the tests' process
    while True:
        frame = page.receive()
        if "reply-to" in frame.headers:
            names = {"destination": "reply-to", "correlation-id": "correlation-id"}
            headers = {name: frame.headers[header] for name, header in names.items()}
            page.send("SEND", headers, json.dumps(answer(json.loads(frame.body))).encode())


def answer(request: dict[str, Any]) -> dict[str, Any]:
    """Echo to the page, or say it in the room."""
    message = request["message"]
    if request["application"] == "rooms":
        channel = f"room:{message['room']}"
        said = {"text": message["text"], "number": 0}
        return {"status": "ok", "send": [{"channel": channel, "event": "said", "data": said}]}
    uuid = request["client"]["uuid"]
    return {"status": "ok", "send": [{"client": uuid, "message": message}]}


if __name__ == "__main__":
    serve(int(sys.argv[1]), Path(sys.argv[2]).read_bytes().strip())
