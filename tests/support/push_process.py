"""A push component in a process of its own, for tests.

A reactor starts only once in a process, so a component that needs one is kept out of the tests'.
Run as a program it reads requests and writes answers, one JSON object a line; `PushProcess` is the
other end.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any, Self

from thywill_server.client import Client
from thywill_server.components import import_dotted
from thywill_server.push.base import PushComponent

ROOT = Path(__file__).parents[2]


class PushProcess:
    """Calls a push component in another process.

    Args:
        component: its dotted path.
        settings: plain JSON values.
    """

    def __init__(self, component: str, settings: dict[str, Any]) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.support.push_process", component, json.dumps(settings)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        try:
            self._process.wait(60)
        finally:
            self._process.kill()
            self._process.wait()
            self._process.stdout.close()

    def call(self, method: str, *arguments: Any) -> Any:
        """Do what `perform` does; an exception is a RuntimeError with its class's name."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps([method, *arguments]) + "\n")
        self._process.stdin.flush()
        answer = json.loads(self._process.stdout.readline())
        if "error" in answer:
            raise RuntimeError(answer["error"])
        return answer["result"]


def perform(component: PushComponent, method: str, *arguments: Any) -> Any:
    """Call a method with arguments that JSON can hold.

    Some calls say more than their arguments: ``ticket`` takes a client's uuid, ``channel_ticket``
    and ``leave`` a uuid and a destination, ``push_object`` a uuid to push to it what JSON has no
    form for, and ``push_from_threads`` a uuid, a number of threads and a number of messages,
    ``[thread, message]``, that each of them pushes.
    """
    if method in ("ticket", "channel_ticket", "leave"):
        client = Client(arguments[0], "session", None, "contract")
        return getattr(component, method)(client, *arguments[1:])
    if method == "push_object":
        return component.push(*arguments, object())
    if method == "push_from_threads":
        return push_from_threads(component, *arguments)
    return getattr(component, method)(*arguments)


def push_from_threads(component: PushComponent, uuid: str, count: int, messages: int) -> None:
    """Push from several threads at the same time."""
    barrier = threading.Barrier(count)

    def push(thread: int) -> None:
        barrier.wait()
        for message in range(messages):
            component.push(uuid, [thread, message])

    threads = [threading.Thread(target=push, args=(thread,)) for thread in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def serve(path: str, settings: dict[str, Any]) -> None:
    """Build and start the component, and obey until there is nothing more to read."""
    component: PushComponent = import_dotted(path)(settings)
    component.start()
    for line in sys.stdin:
        try:
            answer = {"result": perform(component, *json.loads(line))}
        except Exception as error:
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), flush=True)  # noqa: T201 - the answer to the tests' process


if __name__ == "__main__":
    serve(sys.argv[1], json.loads(sys.argv[2]))
