"""documentation/reference/stomp.md says what the code says."""

from __future__ import annotations

import importlib.util
import sys
from dataclasses import fields
from pathlib import Path

import pytest

from morbid.errors import REFUSALS
from morbid.limits import Limits

PAGE = Path(__file__).parents[2] / "documentation" / "reference" / "stomp.md"


@pytest.fixture(scope="module")
def rows():
    """The rows of each table, by the heading they are under."""
    tables: dict[str, list[str]] = {}
    heading = ""
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        if line.startswith("## "):
            heading = line.removeprefix("## ")
        elif line.startswith("| "):
            tables.setdefault(heading, []).append(line)
    return {heading: lines[2:] for heading, lines in tables.items()}


def row(*cells: object) -> str:
    """One line of a table."""
    return "| " + " | ".join(str(cell).replace("|", "\\|") for cell in cells) + " |"


def code(text: str) -> str:
    """Text as code."""
    return f"`{text}`" if text else "none"


def test_codes(rows):
    """Every code is there with its texts, in the order of the table in the code."""
    assert rows["Codes"] == [
        row(
            code(each.code),
            each.message,
            each.sentence,
            "closed" if each.closes_v10 else "stays open",
        )
        for each in REFUSALS.values()
    ]


def test_limits(rows):
    """Every limit is there with its default and its meaning."""
    assert rows["Limits"] == [
        row(code(bound.name), bound.default, bound.metadata["help"]) for bound in fields(Limits)
    ]


def test_differences(rows):
    """Every difference from RabbitMQ that the tests know is there, and no other."""
    path = Path(__file__).with_name("test_differences.py")
    spec = importlib.util.spec_from_file_location("differences_of_brokers", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look there
    spec.loader.exec_module(module)
    assert rows["Differences from RabbitMQ"] == [
        row(each.what, code(each.morbid), code(each.rabbitmq), each.clause)
        for each in module.DIFFERENCES
    ]


def test_session_typed_by_hand(client):
    """The session at the top of the page goes as it is shown."""
    block = PAGE.read_text(encoding="utf-8").partition("```text\n")[2].partition("```")[0]
    answer = b""
    for text in block.split("^@\n")[:-1]:
        frame = text.encode() + b"\0\n"
        if answer:
            assert frame == answer
            answer = b""
        else:
            client.feed(frame)
            answer = b"".join(client.session.data_to_send())
    assert answer == b""
