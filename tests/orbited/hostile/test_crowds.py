"""Many of them at once, and random mistakes."""

from __future__ import annotations

import http.client
import json
import random
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from orbited.protocol.packets import CLOSE, DATA, PING, TEXT, Packet
from tests.support.comet import ROOT
from tests.support.hostile import CROWD, SECONDS, packet, somebody

pytestmark = pytest.mark.functional


def test_thousands_of_sessions_of_one_address(server: dict[str, Any]) -> None:
    """It gets as many as an address may have, then 429 with a hint; others get theirs at once."""
    statuses = create_sessions(server, "127.0.0.3", CROWD + 200)
    assert statuses.count(200) == CROWD
    assert set(statuses[CROWD:]) == {429}
    somebody(server, "127.0.0.4").create()
    with somebody(server, "127.0.0.3").request("GET", "/tcp") as response:
        assert response.headers["retry-after"].isdigit()


def create_sessions(server: dict[str, Any], source: str, count: int) -> list[int]:
    """Ask for sessions that nobody will use, on one connection."""
    connection = http.client.HTTPConnection(
        "127.0.0.1", server["http"], SECONDS, source_address=(source, 0)
    )
    statuses = []
    for _ in range(count):
        connection.request("GET", "/tcp")
        response = connection.getresponse()
        statuses.append(response.status)
        response.read()
    connection.close()
    return statuses


def recorded_bodies() -> list[bytes]:
    """What was posted to a running Orbited 0.7.10, good or not."""
    vectors = json.loads((ROOT / "tests" / "data" / "orbited-0.7.10.json").read_text())["vectors"]
    requests = [step["request"] for vector in vectors for step in vector["steps"]]
    bodies = {text.partition("\r\n\r\n")[2] for text in requests if text.startswith("POST")}
    return [body.encode("latin-1") for body in sorted(bodies) if body]


def mutations(seed: int, count: int) -> Iterator[bytes]:
    """Recorded good bodies with some bytes changed, doubled, moved or left out."""
    chance = random.Random(seed)
    good = [
        TEXT.encode([Packet(1, DATA, b"localhost:18001\n")]),
        TEXT.encode([Packet(2, DATA, b"hello"), Packet(3, PING), Packet(4, DATA, b"x" * 200)]),
        TEXT.encode([Packet(5, CLOSE)]),
        packet(b"0", b"ack", b"3"),
        *recorded_bodies(),
    ]
    tokens = [b"0", b"1", b",", b"11,1", b"=", b"\0", b"\xff", b"9" * 9, b"data", b"-", b"04,"]
    changes: list[Callable[[bytearray, int], object]] = [
        lambda body, at: body.__setitem__(slice(at, at + 1), chance.choice(tokens)),
        lambda body, at: body.insert(at, chance.randrange(256)),
        lambda body, at: body.__delitem__(slice(at, at + chance.randrange(1, 9))),
        lambda body, at: body.extend(body[at:]),
        lambda body, at: body.__setitem__(slice(at, None), body[at:][::-1]),
    ]
    for _ in range(count):
        body = bytearray(b"".join(chance.choices(good, k=chance.randrange(1, 4))))
        for _ in range(chance.randrange(1, 5)):
            chance.choice(changes)(body, chance.randrange(len(body) + 1))
        yield bytes(body)


def post_mutations(server: dict[str, Any], seed: int, count: int) -> set[int]:
    """Send them to sessions, a new one whenever the last has ended; gives the statuses seen."""
    connection = http.client.HTTPConnection(
        "127.0.0.1", server["http"], SECONDS, source_address=("127.0.0.2", 0)
    )

    def ask(method: str, path: str, body: bytes | None = None) -> tuple[int, bytes]:
        connection.request(method, path, body)
        response = connection.getresponse()
        return response.status, response.read()

    key, statuses = "", set()
    for number, body in enumerate(mutations(seed, count)):
        if not key:
            key = ask("GET", "/tcp")[1].decode()
        status, answer = ask("POST", f"/tcp/{key}?ack={number % 7}", body)
        assert b"Traceback" not in answer
        statuses.add(status)
        polled = ask("GET", f"/tcp/{key}/poll")[0] if number % 5 == 0 else 200
        if 404 in (status, polled):
            key = ""
    connection.close()
    return statuses


def test_good_traffic_with_mistakes(server: dict[str, Any]) -> None:
    """Whatever is changed in it: taken, refused, or the session is over."""
    assert post_mutations(server, seed=710, count=2000) <= {200, 400, 404, 503}
