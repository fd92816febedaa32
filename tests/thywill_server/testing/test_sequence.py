"""The order of a channel, by the same rules as in the browser."""

from itertools import permutations
from typing import Any

from thywill_server.testing.sequence import MAX_HELD, Cursor, Numbered, Sequence


def pushed(offset: int, epoch: str = "e") -> Numbered:
    """A message that was pushed."""
    return Numbered(epoch, offset, "said", offset)


def answered(
    offset: int, messages: list[int], recovered: bool | None = True, epoch: str = "e"
) -> dict[str, Any]:
    """An answer of the site."""
    told = [{"offset": each, "event": "said", "data": each} for each in messages]
    return {"epoch": epoch, "offset": offset, "recovered": recovered, "messages": told}


def begun(offset: int = 0) -> Sequence:
    """A sequence whose cursor is known."""
    sequence = Sequence()
    sequence.answer(answered(offset, [], None))
    return sequence


def offsets(messages: list[Numbered]) -> list[int]:
    """Where they stand."""
    return [each.offset for each in messages]


def test_any_order_with_repetitions_is_delivered_in_order_and_once() -> None:
    """Whatever comes first, nothing is delivered before what it follows."""
    for order in permutations([1, 2, 3, 4]):
        sequence = begun()
        found = [each for offset in (*order, *order) for each in sequence.take(pushed(offset))]
        assert offsets(found) == [1, 2, 3, 4]
        assert not sequence.has_gap


def test_the_first_message_of_a_channel() -> None:
    """A page that joined before there was an epoch takes offset 1 of any."""
    sequence = Sequence()
    sequence.answer(answered(0, [], None, epoch=""))
    assert offsets(sequence.take(pushed(1, "new"))) == [1]
    assert sequence.cursor == Cursor("new", 1)


def test_a_gap_is_closed_by_asking() -> None:
    """What was held comes after what the site gives."""
    sequence = begun(10)
    assert sequence.take(pushed(13)) == []
    assert sequence.has_gap
    is_whole, found = sequence.answer(answered(12, [11, 12]))
    assert is_whole
    assert offsets(found) == [11, 12, 13]
    assert [each.is_replayed for each in found] == [True, True, False]


def test_another_epoch_is_a_gap_and_begins_anew() -> None:
    """When the history was begun anew, the answer says that something is missing."""
    sequence = begun(10)
    assert sequence.take(pushed(1, "new")) == []
    assert sequence.has_gap
    is_whole, found = sequence.answer(answered(2, [1, 2], False, "new"))
    assert not is_whole
    assert offsets(found) == [1, 2]
    assert sequence.cursor == Cursor("new", 2)


def test_a_hole_that_was_closed_meanwhile_is_none() -> None:
    """Messages that came while the site answered may have closed the hole that it speaks of."""
    sequence = begun(4)
    for offset in (5, 6):
        sequence.take(pushed(offset))
    is_whole, found = sequence.answer(answered(7, [6, 7], False))
    assert is_whole
    assert offsets(found) == [7]


def test_what_is_held_is_bounded() -> None:
    """Beyond the bound, the history has it."""
    sequence = begun()
    for offset in range(2, MAX_HELD + 100):
        assert sequence.take(pushed(offset)) == []
    found = sequence.take(pushed(1))
    assert offsets(found) == list(range(1, MAX_HELD + 2))
