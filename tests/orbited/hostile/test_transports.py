"""Transports that are taken from each other, not read, or written to byte by byte."""

from __future__ import annotations

import socket
import threading
import time
from typing import Any

import pytest

from tests.support.comet import connect, decode, serving
from tests.support.companion import Companion
from tests.support.hostile import (
    OPTIONS,
    SECONDS,
    ask,
    echoing,
    leave_unread,
    somebody,
    still_echoes,
)

pytestmark = pytest.mark.functional


def test_two_transports_at_once(server: dict[str, Any]) -> None:
    """The newer one has the session, the older one ends properly; however often that goes on."""
    browser = echoing(server)
    for name in ["xhrstream", "htmlfile", "sse"] * 10:
        first, second = browser.open(name), browser.open("xhrstream")
        with first, second:
            first.read()
            assert second.read_at_least(256) == b" " * 256
    still_echoes(browser)


def test_many_transports_at_the_same_time(server: dict[str, Any]) -> None:
    """Threads that take the one session from each other all get whole answers."""
    browser = echoing(server)
    failures: list[BaseException] = []

    def grab() -> None:
        try:
            for _ in range(20):
                with browser.open("longpoll") as response:
                    assert response.status == 200
                    decode(response.read())
        except BaseException as failure:
            failures.append(failure)

    threads = [threading.Thread(target=grab) for _ in range(8)]
    for thread in threads:
        thread.start()
    until_over = time.monotonic() + SECONDS
    while any(thread.is_alive() for thread in threads) and time.monotonic() < until_over:
        # The last of them is answered by what comes next.
        assert browser.post(browser.packets(b"x"))[0] == 200
    for thread in threads:
        thread.join(SECONDS)
    assert not failures


def test_readers_that_do_not_read(server: dict[str, Any]) -> None:
    """A back end that sends 16 MiB to each of them, unasked, fills no more than its bounds."""
    crowd = leave_unread(server)
    state = ask(server, "/system/counters")
    most = OPTIONS["session"]["queued_bytes"] + OPTIONS["session"]["unacknowledged_bytes"]
    assert state["queued_bytes"] + state["unacknowledged_bytes"] < state["sessions"] * most
    for connection in crowd:
        connection.close()


def test_a_reader_that_makes_the_back_end_wait() -> None:
    """A back end that can be paused is paused, and goes on when somebody reads."""
    pause = OPTIONS["session"]["pause_bytes"]
    with serving(OPTIONS) as server:  # where nothing else is queued
        browser = somebody(server)
        browser.shake_hands("numbers:1")
        browser.send(b"0 400000\n")
        until = time.monotonic() + SECONDS
        while (held := ask(server, "/system/counters")["queued_bytes"]) < pause:
            assert time.monotonic() < until, held
        # The back end is in this process: if it went on, it would in the turns that these take.
        later = {ask(server, "/system/counters")["queued_bytes"] for _ in range(20)}
        assert later == {held}
        assert held < 2 * pause
        while len(browser.received) < 4 * held:
            browser.poll()
    lines = browser.received.split(b"\n")[:-1]
    assert lines == [b"%d" % number for number in range(len(lines))]


@pytest.mark.parametrize("name", ["longpoll", "xhrstream", "htmlfile", "sse"])
def test_connections_that_are_closed_by_half(server: dict[str, Any], name: str) -> None:
    """Who says that nothing more will come may have gone; the session is there for who comes."""
    browser = echoing(server)
    for _ in range(20):
        connection = connect(server["http"], source="127.0.0.2")
        path = f"/tcp/{browser.key}/{name}?ack={browser.ack}"
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        connection.shutdown(socket.SHUT_WR)
        connection.close()
    still_echoes(browser)


def test_writers_that_dawdle(server: dict[str, Any], companion: Companion) -> None:
    """Frames that come byte by byte, and never come to an end, hold up nobody."""
    sockets = []
    for _ in range(50):
        browser = somebody(server)
        browser.create()
        sockets.append(browser.socket())
    frame = b"\x82\xfe\x10\x00\1\2\3\4" + b"x" * 12
    for byte in frame:
        for opened in sockets:
            opened.connection.sendall(bytes([byte]))
    companion.wait_for_rounds()
    for opened in sockets:
        opened.close()
