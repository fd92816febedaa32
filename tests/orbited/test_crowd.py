"""Very many idle sessions, and what is left of them when their browsers vanish."""

import json
import time
import urllib.request

import pytest

from benchmarks.crowd import TRANSPORTS, crowd, resident_kilobytes
from tests.support.comet import serving

#: An idle browser with a session and a back end takes 4 kB, beside what the first of them load.
MOST_KILOBYTES_EACH = 12


def test_a_thousand_that_vanish_leave_nothing(make_comet):
    """Within the time-outs: no session, no timer, every counter even."""
    comet = make_comet({"session": {"ping_interval": 30, "ping_timeout": 30, "close_timeout": 5}})
    names = ("xhrstream", "sse", "htmlfile", "longpoll")
    streams = [comet.open(comet.create(), names[number % 4]) for number in range(1000)]
    assert len(comet.clock.getDelayedCalls()) == 1
    comet.clock.pump([1] * 10)
    for stream in streams:
        if not stream.is_finished:
            stream.lose()
    comet.clock.pump([1] * 66)
    assert not comet.tcp.connections
    assert not comet.clock.getDelayedCalls()
    assert comet.tcp.counters.sessions_opened == comet.tcp.counters.sessions_ended == 1000
    assert all(protocol.lost is not None for protocol in comet.protocols)


def ask(port: int, path: str):
    """What a page of the server says, in JSON."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=60) as answer:
        return json.load(answer)


@pytest.mark.functional
def test_a_crowd_on_real_sockets_comes_and_goes():
    """Memory for each is small; when they vanish, sessions and timers are gone in time."""
    count = 150
    options = {
        "session": {"ping_interval": 4, "ping_timeout": 8, "close_timeout": 0.5},
        "limits": {"sessions_per_address": 10_000},
    }
    with serving(options) as server:
        port, pid = server["http"], server["process"].pid
        with crowd(port, "localhost:18001") as first:
            first.come(20, "websocket")
            first.hear()
            timers = ask(port, "/measure")["timers"]
            before = resident_kilobytes(pid)
            with crowd(port, "localhost:18001") as people:
                for transport in TRANSPORTS:
                    people.come(count, transport)
                people.hear()
                # All sessions have one together, and so have all connections.
                assert ask(port, "/measure")["timers"] <= timers + 5
                each = (resident_kilobytes(pid) - before) / (3 * count)
                assert each < MOST_KILOBYTES_EACH
        vanished = time.monotonic()
        while ask(port, "/system/health")["sessions"]:
            assert time.monotonic() - vanished < 60
            time.sleep(0.1)
        counters = ask(port, "/system/counters")["counters"]
        assert counters["sessions_opened"] == counters["sessions_ended"] == 3 * count + 20
        assert ask(port, "/measure")["timers"] <= timers
