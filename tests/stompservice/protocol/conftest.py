"""Feeding bytes to a parser, in one piece or in many."""

from collections.abc import Callable, Iterable

import pytest

from stompservice.protocol import Frame, FrameError, FrameParser, Limits

Event = Frame | tuple[str, str, str | None, str | None]


def describe(event: Frame | FrameError) -> Event:
    """A frame as it is; an error as its class, sentence and what it knows of the frame."""
    if isinstance(event, Frame):
        return event
    return (type(event).__name__, str(event), event.command, event.receipt)


def read_all(parser: FrameParser, pieces: Iterable[bytes]) -> list[Event]:
    """Every event of all pieces."""
    events: list[Event] = []
    for piece in pieces:
        parser.receive_data(piece)
        events.extend(map(describe, parser.events_received()))
    return events


@pytest.fixture
def parse() -> Callable[..., list[Event]]:
    """Parse bytes; fails unless one piece and single bytes give the same events."""

    def parse(data: bytes, version: str = "1.2", limits: Limits | None = None) -> list[Event]:
        def parser() -> FrameParser:
            return FrameParser(limits or Limits(), version)

        whole = read_all(parser(), [data])
        assert read_all(parser(), (data[i : i + 1] for i in range(len(data)))) == whole
        return whole

    return parse
