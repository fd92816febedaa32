"""What one HTTP request costs Orbited: microseconds of server CPU for each kind of request.

::

    python -m benchmarks.http_cost                     # this checkout
    python -m benchmarks.http_cost --root ../before    # another one, for comparison
    python -m benchmarks.http_cost --profile           # the server's own profile at the end

A handful of raw sockets send requests as Chromium does, one at a time on each connection, and read
the answers. CPU time is the scheduler's own account of the server process, in nanoseconds. The
floor is a protocol on Twisted that finds the path in the same requests and does nothing else; where
the machine has other work, compare with that. Of several rounds the cheapest counts.
"""

from __future__ import annotations

import argparse
import json
import os
import selectors
import signal
import socket
import subprocess
import sys
import time
from base64 import b64encode
from collections.abc import Callable, Iterator
from pathlib import Path

from benchmarks.processes import free_ports

ROOT = Path(__file__).parent.parent

#: What Chromium sends beside Host and Content-Length.
HEADERS = (
    b"Connection: keep-alive\r\n"
    b'sec-ch-ua-platform: "Linux"\r\n'
    b"User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko)"
    b" Chrome/142.0.0.0 Safari/537.36\r\n"
    b'sec-ch-ua: "Chromium";v="142", "Not_A Brand";v="99"\r\n'
    b"Content-Type: text/plain\r\n"
    b"sec-ch-ua-mobile: ?0\r\n"
    b"Accept: */*\r\n"
    b"Origin: http://127.0.0.1\r\n"
    b"Sec-Fetch-Site: same-origin\r\n"
    b"Sec-Fetch-Mode: cors\r\n"
    b"Sec-Fetch-Dest: empty\r\n"
    b"Referer: http://127.0.0.1/page/\r\n"
    b"Accept-Encoding: gzip, deflate, br, zstd\r\n"
    b"Accept-Language: en-US,en;q=0.9\r\n"
    b"Cookie: sessionid=abcdefghijklmnopqrstuvwxyz012345; csrftoken=0123456789abcdef\r\n"
)

Conversation = Iterator[bytes]


def request(line: bytes, body: bytes = b"") -> bytes:
    """One request."""
    length = b"Content-Length: %d\r\n" % len(body) if line.startswith(b"POST") else b""
    return b"%b HTTP/1.1\r\nHost: 127.0.0.1\r\n%b%b\r\n%b" % (line, HEADERS, length, body)


class Client:
    """A blocking connection, for what comes before the measurement."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), 10)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def ask(self, line: bytes, body: bytes = b"") -> bytes:
        """Send a request; gives the body of the answer."""
        self.socket.sendall(request(line, body))
        data = b""
        while (size := answer_size(data)) is None or len(data) < size:
            data += self.socket.recv(65536)
        return data.partition(b"\r\n\r\n")[2]


def answer_size(data: bytes) -> int | None:
    """Size of the answer in front, or None while that cannot be known."""
    end = data.find(b"\r\n\r\n")
    if end < 0:
        return None
    at = data.index(b"Content-Length: ") + 16
    return end + 4 + int(data[at : data.index(b"\r\n", at)])


def data_packet(number: int, payload: bytes) -> bytes:
    """One packet upstream."""
    digits, text = b"%d" % number, b64encode(payload)
    return b"1%d,%b14,data0%d,%b" % (len(digits), digits, len(text), text)


def open_session(client: Client) -> bytes:
    """A session that is connected to the echo; the last packet that came down is 5."""
    key = client.ask(b"GET /tcp")
    client.ask(b"GET /tcp/%b/longpoll" % key)
    client.ask(b"POST /tcp/%b?ack=2" % key, data_packet(1, b"localhost:18001\n"))
    client.ask(b"GET /tcp/%b/longpoll?ack=2" % key)
    return key


def static_file(client: Client) -> Conversation:
    """A file of the browser half, unchanged."""
    head = request(b"GET /static/Orbited.js")
    while True:
        yield head


def posts(client: Client) -> Conversation:
    """POSTs that say nothing but that the browser is there."""
    key = client.ask(b"GET /tcp")
    client.ask(b"GET /tcp/%b/longpoll" % key)
    number = 0
    while True:
        number += 1
        digits = b"%d" % number
        body = b"1%d,%b04,ping" % (len(digits), digits)
        yield request(b"POST /tcp/%b?ack=2" % key, body)


def rounds(client: Client) -> Conversation:
    """A POST of 100 bytes, which the echo returns, and the poll that fetches them."""
    key = open_session(client)
    up, down = 1, 3
    while True:
        up += 1
        yield request(b"POST /tcp/%b?ack=%d" % (key, down), data_packet(up, b"x" * 100))
        yield request(b"GET /tcp/%b/longpoll?ack=%d" % (key, down))
        down += 1


def floor(client: Client) -> Conversation:
    """A GET, answered with its path."""
    head = request(b"GET /tcp/0123456789abcdef0123456789abcdef/longpoll?ack=3")
    while True:
        yield head


KINDS: dict[str, tuple[Callable[[Client], Conversation], int, str]] = {
    "floor": (floor, 1, "floor: parsed by hand on Twisted"),
    "post": (posts, 1, "POST on a session"),
    "round": (rounds, 2, "long-poll round: POST, echo, GET"),
    "static": (static_file, 1, "static file"),
}


def cpu_seconds(pid: int) -> float:
    """What a process has used so far."""
    return int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / 1e9


def run(port: int, pid: int, kind: str, connections: int, seconds: float) -> float:
    """Have conversations for a while; gives microseconds of CPU for each round."""
    start, requests, _ = KINDS[kind]
    selector = selectors.DefaultSelector()
    talks: list[tuple[socket.socket, Conversation]] = []
    for _ in range(connections):
        client = Client(port)
        talk = start(client)
        talks.append((client.socket, talk))
        selector.register(client.socket, selectors.EVENT_READ, [talk, b""])
    for connection, talk in talks:
        connection.sendall(next(talk))
    answers, begun, used, end = 0, time.monotonic(), 0.0, None
    while True:
        for key, _ in selector.select():
            talk, data = key.data
            connection: socket.socket = key.fileobj  # type: ignore[assignment]
            data += connection.recv(1 << 20)
            size = answer_size(data)
            if size is None or len(data) < size:
                key.data[1] = data
                continue
            if not data.startswith(b"HTTP/1.1 200 "):
                raise SystemExit(f"unexpected answer: {data[:200]!r}")
            key.data[1] = data[size:]
            answers += 1
            connection.sendall(next(talk))
        now = time.monotonic()
        if end is None and now - begun > 0.2:  # warm by now
            answers, used, end = 0, cpu_seconds(pid), now + seconds
        elif end is not None and now > end:
            break
    used = cpu_seconds(pid) - used
    for connection, _ in talks:
        connection.close()
    return used / (answers / requests) * 1e6


class Server:
    """A server process on the first core."""

    def __init__(self, root: Path, program: list[str], cores: list[int]) -> None:
        command = [*program, "-m", "tests.support.comet_server", "{}"]
        self.process = subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        self.port: int = json.loads(self.process.stdout.readline())["http"]
        os.sched_setaffinity(self.process.pid, cores[:1])

    def stop(self) -> str:
        """End it; gives what it printed."""
        self.process.send_signal(signal.SIGTERM)
        assert self.process.stdout is not None
        printed = self.process.stdout.read()
        self.process.wait(20)
        return printed


class Floor(Server):
    """The protocol that does nothing else."""

    def __init__(self, root: Path, cores: list[int]) -> None:
        (self.port,) = free_ports(1)
        command = [sys.executable, "benchmarks/servers/floor_http.py", str(self.port), "by-hand"]
        self.process = subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE, text=True)
        os.sched_setaffinity(self.process.pid, cores[:1])
        while True:
            try:
                Client(self.port).socket.close()
                return
            except ConnectionRefusedError:
                time.sleep(0.05)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--root", type=Path, default=ROOT, help="the checkout to measure")
    parser.add_argument("--connections", type=int, default=16)
    parser.add_argument("--seconds", type=float, default=1.0, help="of each round")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--profile", action="store_true", help="profile the server")
    parser.add_argument("kinds", nargs="*", default=list(KINDS), help=", ".join(KINDS))
    options = parser.parse_args()
    cores = sorted(os.sched_getaffinity(0))
    program = [sys.executable]
    if options.profile:
        program += ["-m", "cProfile", "-s", "tottime"]
    server, lowest = Server(options.root, program, cores), Floor(ROOT, cores)
    os.sched_setaffinity(0, cores[1:] or cores)
    costs: dict[str, list[float]] = {kind: [] for kind in options.kinds}
    try:
        for _ in range(options.rounds):
            for kind in options.kinds:
                where = lowest if kind == "floor" else server
                pid = where.process.pid
                costs[kind].append(run(where.port, pid, kind, options.connections, options.seconds))
    finally:
        lowest.stop()
        printed = server.stop()
    for kind, figures in costs.items():
        print(f"{KINDS[kind][2]:36} {min(figures):7.1f} us of CPU")
    if options.profile:
        print(printed[:6000])


if __name__ == "__main__":
    main()
