"""The sockets of virtual browsers: how fast they are read."""

import socket
import time
from collections.abc import Iterator

import pytest

from thywill_server.testing.loop import Loop
from thywill_server.testing.streams import Speed, Stream


@pytest.fixture
def loop() -> Iterator[Loop]:
    """A loop of its own."""
    loop = Loop()
    yield loop
    loop.close()


@pytest.mark.parametrize("rate", [25, 2_500, 250_000])
def test_a_rate_is_not_passed(loop: Loop, rate: int) -> None:
    """Half a second's bytes take about half a second, at a low rate as at a high one."""
    speed, received = Speed(), []
    speed.bytes_per_second = rate
    size = rate // 2
    with socket.create_server(("127.0.0.1", 0)) as server:
        stream = Stream(loop, server.getsockname(), speed, received.append, lambda: None)
        connection, _ = server.accept()
        connection.sendall(b"x" * size)
        begun_at = time.monotonic()
        assert loop.run(lambda: sum(map(len, received)) == size, 30)
        # What it may have saved up before the first byte came is not waited for again.
        assert time.monotonic() - begun_at > 0.3
        stream.close()
        connection.close()


def test_the_end_of_a_connection_is_told_once(loop: Loop) -> None:
    """After the last bytes, and not for one that was closed here."""
    ended: list[str] = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = server.getsockname()
        kept = Stream(loop, address, Speed(), lambda _: None, lambda: ended.append("kept"))
        closed = Stream(loop, address, Speed(), lambda _: None, lambda: ended.append("closed"))
        closed.close()
        for _ in range(2):
            server.accept()[0].close()
        assert loop.run(lambda: bool(ended), 10)
        kept.write(b"nobody reads this")
        loop.run(lambda: False, 0)
    assert ended == ["kept"]
