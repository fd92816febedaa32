"""What all systems of the benchmark have in common."""

from pathlib import Path

import pytest

from benchmarks.systems import everything
from benchmarks.systems.base import ROOT, Bench
from benchmarks.systems.comet import ACK_BYTES, ACK_PACKETS
from benchmarks.workloads import WORKLOADS

NAMES = list(everything(Bench(Path())))
WORDS = {"role", "addr", "late", "step", "publish", "repoll", "packets", "ack", "pong", "given"}


def test_names_are_unique() -> None:
    """No system hides another."""
    assert len(NAMES) == len(set(NAMES)) > 10


@pytest.mark.parametrize("name", NAMES)
def test_conversations_can_be_written(name: str, tmp_path: Path) -> None:
    """For each of its kinds, a system says what clients do, in words of the generator."""
    system = everything(Bench(tmp_path))[name]
    kinds = {workload.kind for workload in WORKLOADS.values()}
    assert system.kinds
    assert system.kinds <= kinds
    for kind in system.kinds:
        lines = [line.split() for line in system.conversation(kind).text.splitlines()]
        assert {line[0] for line in lines} <= WORDS | {"upclose", "eio"}
        roles = [line[1] for line in lines if line[0] == "role"]
        assert roles in (["sub", "pub"], ["sub"])
        assert "publish" in {line[0] for line in lines}


@pytest.mark.parametrize("transport", ["websocket", "sse", "xhrstream", "longpoll"])
def test_every_transport_is_told_what_has_arrived(transport: str, tmp_path: Path) -> None:
    """A client acknowledges: in packets of its own, or with its next request."""
    system = everything(Bench(tmp_path))[f"orbited-{transport}"]
    text = system.conversation("fan").text
    word, token = ("ack", b"<<AKP>>") if transport == "websocket" else ("repoll", b"<<ACK>>")
    beside = [line.split() for line in text.splitlines() if line.startswith("ack up ")]
    assert len(beside) == (transport in ("sse", "xhrstream"))
    assert all(each[3:] == ["bytes", str(ACK_BYTES)] for each in beside)
    (line,) = (line for line in text.splitlines() if line.startswith(word))
    assert token.hex() in line


def test_clients_acknowledge_as_often_as_the_one_that_is_shipped() -> None:
    """The bounds are those of our browser client."""
    shipped = (ROOT / "orbited/static/comet/settings.js").read_text()
    assert f"ACK_PACKETS = {ACK_PACKETS};" in shipped
    assert f"ACK_BYTES = {ACK_BYTES};" in shipped
