"""One server and one well-behaved browser for the hostile ones of a file.

Whatever they send, the server answers with a sentence or ends their session, logs no traceback, and
goes on serving others. HTTP-level mischief is in ``tests/functional/test_hostile_peers.py``.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.comet import serving
from tests.support.companion import Companion
from tests.support.hostile import OPTIONS, ask, somebody


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """A server whose bounds are soon reached."""
    path = tmp_path_factory.mktemp("hostile") / "server.log"
    with path.open("w") as stderr, serving(OPTIONS, stderr) as server:
        yield server
    assert "Traceback" not in path.read_text()


@pytest.fixture(scope="module")
def timers(server: dict[str, Any]) -> int:
    """How many timers it has before anybody comes."""
    return int(ask(server, "/measure")["timers"])


@pytest.fixture(scope="module")
def companion(server: dict[str, Any], timers: int) -> Iterator[Companion]:
    """Somebody who behaves."""
    with Companion(server["http"], "localhost:18001") as companion:
        yield companion


@pytest.fixture(autouse=True)
def others_are_served(server: dict[str, Any], companion: Companion) -> Iterator[None]:
    """After each test somebody new is served, and the one who was there still is."""
    yield
    companion.wait_for_rounds()
    somebody(server).create()
