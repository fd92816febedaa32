"""What is left of a server's memory when all who misbehaved are gone."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.orbited.hostile.test_crowds import create_sessions, post_mutations
from tests.support.comet import serving
from tests.support.hostile import (
    CROWD,
    OPTIONS,
    ask,
    leave_unread,
    send_garbage_frames,
    somebody,
)

pytestmark = pytest.mark.functional

SECONDS = 60
SOON = {"ping_interval": 2, "ping_timeout": 5, "unused_timeout": 5}


@pytest.fixture(scope="module")
def server() -> Iterator[dict[str, Any]]:
    """A server whose sessions end soon when nobody wants them; only the companion needs one."""
    with serving({**OPTIONS, "session": {**OPTIONS["session"], **SOON}}) as server:
        yield server


def when_quiet(server: dict[str, Any]) -> dict[str, int]:
    """What the server uses when nobody but the companion is left."""
    deadline = time.monotonic() + SECONDS
    while (state := ask(server, "/system/counters"))["sessions"] > 1:
        assert time.monotonic() < deadline, state
        time.sleep(0.05)
    return {**ask(server, "/measure"), "kilobytes": resident_kilobytes(server["process"].pid)}


def resident_kilobytes(pid: int) -> int:
    """The memory of a process, in KiB."""
    ps = ["ps", "-o", "rss=", "-p", str(pid)]
    return int(subprocess.run(ps, capture_output=True, text=True, check=True).stdout)


def misbehave(server: dict[str, Any]) -> None:
    """One round of everything that takes memory."""
    create_sessions(server, "127.0.0.3", CROWD)
    post_mutations(server, seed=2010, count=300)
    for connection in leave_unread(server):
        connection.close()
    send_garbage_frames(server)
    for _ in range(5):
        somebody(server).post(b"x" * (1 << 20))


def test_memory_comes_back(server: dict[str, Any], timers: int) -> None:
    """Two more rounds need no more than the first did; no session, transport or timer is left.

    A kilobyte and a half that each session kept would be too much.
    """
    misbehave(server)
    first = when_quiet(server)
    misbehave(server)
    misbehave(server)
    last = when_quiet(server)
    assert last["kilobytes"] - first["kilobytes"] < 4096
    assert 1 <= last["alive"] <= 2  # the companion's session and its poll
    assert last["timers"] <= timers + 3  # the companion's, and those of the question itself
