"""The component `remote_stomp` in a process of its own, with its real connection to a broker.

Run as a program it reads requests and writes answers, one JSON object a line; `ComponentProcess` is
the other end. Several may be asked at the same time.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any, Self

ROOT = Path(__file__).parents[2]
SECONDS = 60


class ComponentProcess:
    """Asks a component in another process.

    Args:
        settings: of the component.
    """

    def __init__(self, settings: dict[str, Any]) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.support.remote_component", json.dumps(settings)],
            cwd=ROOT,
            env={**os.environ, "DJANGO_SETTINGS_MODULE": "settings"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.read() == "ready"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        try:
            self._process.wait(SECONDS)
        finally:
            self._process.kill()
            self._process.wait()
            self._process.stdout.close()

    def ask(self, *request: Any) -> None:
        """Write a request; its answer comes when it is there."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()

    def read(self) -> Any:
        """Wait for the next answer."""
        assert self._process.stdout is not None
        return json.loads(self._process.stdout.readline())

    def read_all(self, count: int) -> list[Any]:
        """Wait for so many answers; gives them in alphabetical order."""
        return sorted((self.read() for _ in range(count)), key=json.dumps)


def serve(settings: dict[str, Any]) -> None:
    """Build and start the component, and obey until there is nothing more to read."""
    from tests.support.recording import RecordingPush
    from thywill_server.application.base import ClientMessage
    from thywill_server.application.remote_stomp import RemoteStomp
    from thywill_server.client import Client
    from thywill_server.errors import ApplicationError, Refusal

    lock = threading.Lock()

    def say(answer: Any) -> None:
        with lock:
            print(json.dumps(answer), flush=True)  # noqa: T201 - the answer to the tests' process

    class TellingPush(RecordingPush):
        def publish(self, destination: str, message: Any, event: str | None = None) -> None:
            super().publish(destination, message, event)
            say(["pushed", destination, self.published[-1][1].body.decode()])

    component = RemoteStomp(settings, push=TellingPush({}))
    assert component.check() == [], component.check()
    component.start()
    component.serve()
    end = time.monotonic() + SECONDS
    while component.health()["status"] != "ok" and time.monotonic() < end:
        time.sleep(0.01)
    say("ready")

    def receive(uuid: str, command: str, content: Any) -> None:
        client = Client(uuid, None, None, "hall")
        try:
            reply = component.receive(client, ClientMessage("1", command, content))
        except (ApplicationError, Refusal) as refusal:
            say(["refused", uuid, refusal.code, refusal.status])
        except Exception as error:
            say(["failed", uuid, str(error)])
        else:
            say(["reply", uuid, reply])

    for line in sys.stdin:
        threading.Thread(target=receive, args=json.loads(line), daemon=True).start()
    stopped = component.stop()
    if stopped is not None:
        from thywill_server import reactor_bridge

        reactor_bridge.call_and_wait(lambda: stopped, timeout_seconds=SECONDS)


if __name__ == "__main__":
    import django

    django.setup()
    serve(json.loads(sys.argv[1]))
