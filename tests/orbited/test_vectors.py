"""What a running Orbited 0.7.10 answered, byte for byte, and where we differ on purpose.

Each exchange of ``tests/data/orbited-0.7.10.json`` is played against a real server. Statuses and
bodies are compared; where the original was wrong, ``CORRECTIONS`` has the better answer, and
``test_corrections.py`` says why. Then each conversation is held over every transport.
"""

import contextlib
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.comet import Browser, Response, send, serving
from tests.support.downstream import TRANSPORTS, Downstream, Read, read_body

pytestmark = pytest.mark.functional

VECTORS = {
    vector["name"]: vector
    for vector in json.loads(
        (Path(__file__).parent.parent / "data" / "orbited-0.7.10.json").read_text("utf-8")
    )["vectors"]
}

OPTS = b"11,113,opt014,pingTimeout,3011,213,opt015,pingInterval,30"
OPEN = b"11,204,open"

#: (vector, step) to (status, body), or None where only the status of the original is kept.
CORRECTIONS: dict[tuple[str, int], tuple[int, bytes | None]] = {
    ("create PUT", 0): (405, None),
    ("create OPTIONS", 0): (200, b""),
    ("create HEAD", 0): (405, None),
    ("create trailing slash", 0): (404, None),
    ("unknown key xhrstream", 0): (404, None),
    ("unknown key POST", 0): (404, None),
    ("unknown transport", 1): (404, None),
    ("echo over longpoll", 8): (404, None),
    ("bad handshake over longpoll", 3): (
        200,
        b"11,314,data08,MDEwMg==11,415,close014,loseConnection",
    ),
    ("lost open", 2): (200, OPTS + OPEN),
    ("second transport", 2): (200, b" " * 256 + OPTS + OPEN),
    ("queued while no transport", 7): (200, b"11,414,data08,bTBtMW0y"),
    **{(name, 4): (400, None) for name in VECTORS if name.startswith("malformed")},
    **{
        (name, 6): (200, b"11,414,data08,c3RpbGw=")
        for name in ("malformed short argument", "malformed flag 7")
    },
}

#: The original delivered a repeated POST twice; here the last poll would wait for ever.
SKIPPED_STEPS = {("dup client id", 7)}


@pytest.fixture(scope="module")
def server() -> Iterator[dict[str, Any]]:
    """A server whose heartbeat comes soon enough to be seen."""
    with serving({"transports": {"heartbeat_seconds": 0.3}}) as server:
        yield server


def body_of(raw: str) -> bytes:
    """The body of a captured answer, without its chunks."""
    head, _, body = raw.encode("latin-1").partition(b"\r\n\r\n")
    if b"chunked" not in head:
        return body
    pieces = []
    while body:
        size, _, body = body.partition(b"\r\n")
        length = int(size, 16)
        pieces.append(body[:length])
        body = body[length + 2 :]
    return b"".join(pieces)


def transport_of(step: dict[str, Any]) -> str:
    """The transport that a step opens, or ""."""
    found = re.match(r"GET /tcp/\{KEY\}/(\w+)\?", step["request"])
    name = found[1] if found else ""
    return {"sse": "old sse", "bogus": ""}.get(name, name)


def answer_of(name: str, number: int) -> tuple[int, bytes | None]:
    """Status and body that a step of a vector has to have now."""
    step = VECTORS[name]["steps"][number]
    then = int(step["response"].split()[1]), body_of(step["response"])
    return CORRECTIONS.get((name, number), then)


def play(server: dict[str, Any], name: str) -> None:
    """Send what was sent then, and compare what comes."""
    key = b""
    streams: list[tuple[Response, bytes]] = []
    with contextlib.ExitStack() as stack:
        for number, step in enumerate(VECTORS[name]["steps"]):
            if (name, number) in SKIPPED_STEPS:
                continue
            status, body = answer_of(name, number)
            request = step["request"].encode("latin-1").replace(b"{KEY}", key)
            response = stack.enter_context(send(server["http"], request))
            assert response.status == status, (number, response.read())
            if body == b"{KEY}":
                key = response.read()
                assert re.fullmatch(rb"[0-9a-f]{32}", key)
            elif body is None:
                pass
            elif step.get("concurrent_with_next") or (name, number) == ("second transport", 1):
                begin = response.read_at_least(256 + len(OPTS + OPEN))
                assert body.startswith(begin)
                streams.append((response, body.removeprefix(begin)))
            elif step.get("ended_by_server") is False:
                assert response.read_at_least(len(body)).rstrip(b"x") == body.rstrip(b"x")
            else:
                assert response.read() == body
        for stream, rest in streams:
            assert stream.read().lstrip(b"x") == rest


@pytest.mark.parametrize("name", sorted(VECTORS))
def test_vector(server, name):
    """The answer is that of 0.7.10, or the corrected one."""
    play(server, name)


# -- the same exchanges over every other transport --------------------------------------------

#: Those in which a session says something; the others have no transport.
CONVERSATIONS = sorted(
    name
    for name, vector in VECTORS.items()
    if any(transport_of(step) for step in vector["steps"]) and not name.startswith("unknown")
)


def meaning(packets: list[Read]) -> list[tuple[str, bytes]]:
    """What packets say: a transport may cut the bytes behind the handshake as it likes."""
    said: list[tuple[str, bytes]] = []
    has_shaken_hands = False
    for packet in packets:
        if packet.name == "data" and has_shaken_hands and said[-1][0] == "data*":
            said[-1] = ("data*", said[-1][1] + packet.data)
        elif packet.name == "data" and has_shaken_hands:
            said.append(("data*", packet.data))
        else:
            has_shaken_hands |= packet.name == "data"
            said.append((packet.name, packet.data))
    return said


def recorded(name: str, steps: int) -> list[Read]:
    """The packets in so many steps of a vector, or their corrections, each once."""
    packets: list[Read] = []
    last, has_open = 0, False
    for number, step in enumerate(VECTORS[name]["steps"][:steps]):
        transport = transport_of(step)
        status, body = answer_of(name, number)
        if not transport or status != 200 or (name, number) in SKIPPED_STEPS:
            continue
        for packet in read_body(transport, body or b""):
            if packet.id > last or (packet.name == "open" and not has_open):
                packets.append(packet)
            last = max(last, packet.id)
            has_open |= packet.name == "open"
    return packets


@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("name", CONVERSATIONS)
def test_vector_over_every_transport(server, name, transport):
    """What goes up is what went up then; what comes down says the same, however it is framed."""
    steps = VECTORS[name]["steps"]
    browser = Browser(server["http"])
    browser.headers["Host"] = re.search(r"\r\nHost: (\S+)", steps[0]["request"])[1]
    browser.create()
    down = Downstream(browser, transport)

    def read(count: int) -> None:
        expected = meaning(recorded(name, count))
        down.read_until(lambda packets: meaning(packets) == expected)
        assert meaning(down.packets) == expected

    for number, step in enumerate(steps):
        head, _, body = step["request"].partition("\r\n\r\n")
        if head.startswith("POST"):
            assert browser.post(body.encode("latin-1"))[0] == answer_of(name, number)[0]
        elif transport_of(step) and not down.is_open:
            down.open()
        if transport_of(step) and not step.get("concurrent_with_next"):
            read(number + 1)
    read(len(steps))
    down.close()


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_what_was_lost_is_repeated_on_every_transport(server, transport):
    """The open packet too; a transport that takes over brings all that was not acknowledged."""
    names = []
    browser = Browser(server["http"])
    browser.create()
    for _ in range(3):
        browser.ack = 0
        down = Downstream(browser, transport)
        down.read_until(lambda packets: bool(packets) and packets[-1].name == "open")
        names.append([packet.name for packet in down.packets])
        down.close()
    assert names == [["opt", "opt", "open"]] * 3


def test_no_vector_is_left_out():
    """Each is played as it was recorded, and each with a transport over all of them."""
    transports = {
        transport
        for vector in VECTORS.values()
        for step in vector["steps"]
        if (transport := transport_of(step))
    }
    assert transports <= set(TRANSPORTS)
    others = {name.split()[0] for name in set(VECTORS) - set(CONVERSATIONS)}
    assert others == {"create", "unknown"}
    assert len(VECTORS) == 35
