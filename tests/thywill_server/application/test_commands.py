"""Typed messages: strict, and every refusal names its field."""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Annotated, Any, Literal, Optional

import pytest
from hypothesis import given
from hypothesis import strategies as st

from thywill_server.application.commands import (
    InvalidMessage,
    argument_decoder,
    decoder_for,
)
from thywill_server.errors import ApplicationError

if TYPE_CHECKING:
    from somewhere_else import Client


class Color(Enum):
    RED = "red"
    BLUE = "blue"


@dataclass
class Item:
    name: str
    price: float = 0.0
    tags: list[str] = field(default_factory=list)


@dataclass
class Order:
    number: int
    is_paid: bool
    items: list[Item]
    color: Color | None = None
    extra: dict[str, int] = field(default_factory=dict)
    first: Item | None = None
    pair: tuple[int, str] = (0, "")
    size: Literal["s", "m", 1] = "s"
    version: int = field(default=1, init=False)


@dataclass(frozen=True)
class Tree:
    label: str
    children: list[Tree] = field(default_factory=list)


@dataclass
class Even:
    number: int

    def __post_init__(self) -> None:
        if self.number % 2:
            raise ValueError(f"number: expected an even one, got {self.number}")
        if self.number > 100:
            raise ApplicationError("too-many", "At most a hundred.")


def decode(type_: Any, value: Any) -> Any:
    """Read a value as a type."""
    return decoder_for(type_)(value)


def refusal(type_: Any, value: Any) -> str:
    """The sentence with which a value is refused."""
    with pytest.raises(InvalidMessage) as raised:
        decode(type_, value)
    assert raised.value.code == "invalid-message"
    assert raised.value.status == 400
    return raised.value.sentence


def test_a_whole_message_is_read() -> None:
    """Nested dataclasses, lists, dictionaries, enums, tuples and literals all arrive."""
    value = json.loads("""{
        "number": 7, "is_paid": true, "color": "blue", "extra": {"a": 1}, "pair": [1, "x"],
        "items": [{"name": "pen", "price": 2, "tags": ["new"]}, {"name": "ink"}],
        "first": {"name": "pen"}, "size": 1
    }""")
    assert decode(Order, value) == Order(
        number=7,
        is_paid=True,
        items=[Item("pen", 2.0, ["new"]), Item("ink")],
        color=Color.BLUE,
        extra={"a": 1},
        first=Item("pen"),
        pair=(1, "x"),
        size=1,
    )


def test_defaults_are_used() -> None:
    """Fields with a default may be left out, those that may be None may be null."""
    order = decode(Order, {"number": 1, "is_paid": False, "items": [], "color": None})
    assert (order.color, order.extra, order.size, order.version) == (None, {}, "s", 1)


def test_dataclasses_may_hold_themselves() -> None:
    """A tree is read, and a mistake deep in it is named."""
    value = {"label": "a", "children": [{"label": "b", "children": [{"label": "c"}]}]}
    assert decode(Tree, value) == Tree("a", [Tree("b", [Tree("c")])])
    value = {"label": "a", "children": [{"label": "b", "children": [{"lable": "c"}]}]}
    assert refusal(Tree, value) == (
        'message.children[0].children[0].lable: unknown field; did you mean "label"?'
    )


GOOD_ORDER = {"number": 1, "is_paid": False, "items": []}


@pytest.mark.parametrize(
    ("type_", "value", "sentence"),
    [
        (Order, [], "message: expected an object, got a list of 0"),
        (Order, "x", 'message: expected an object, got "x"'),
        (Order, {"is_paid": True, "items": []}, "message.number: missing"),
        (Order, {**GOOD_ORDER, "number": "1"}, 'message.number: expected a whole number, got "1"'),
        (
            Order,
            {**GOOD_ORDER, "number": True},
            "message.number: expected a whole number, got true",
        ),
        (Order, {**GOOD_ORDER, "number": 1.5}, "message.number: expected a whole number, got 1.5"),
        (
            Order,
            {**GOOD_ORDER, "number": None},
            "message.number: expected a whole number, got null",
        ),
        (Order, {**GOOD_ORDER, "is_paid": 1}, "message.is_paid: expected true or false, got 1"),
        (Order, {**GOOD_ORDER, "items": {}}, "message.items: expected a list, got an object"),
        (
            Order,
            {**GOOD_ORDER, "items": [{"name": "a"}, {"name": "b"}, {"name": "c", "price": "x"}]},
            'message.items[2].price: expected a number, got "x"',
        ),
        (
            Order,
            {**GOOD_ORDER, "color": "green"},
            'message.color: expected one of "red", "blue", got "green"',
        ),
        (
            Order,
            {**GOOD_ORDER, "color": []},
            'message.color: expected one of "red", "blue", got a list of 0',
        ),
        (
            Order,
            {**GOOD_ORDER, "extra": {"a b": "1"}},
            'message.extra["a b"]: expected a whole number, got "1"',
        ),
        (Order, {**GOOD_ORDER, "pair": [1]}, "message.pair: expected a list of 2, got a list of 1"),
        (Order, {**GOOD_ORDER, "pair": [1, 2]}, "message.pair[1]: expected text, got 2"),
        (
            Order,
            {**GOOD_ORDER, "size": True},
            'message.size: expected one of "s", "m", 1, got true',
        ),
        (Order, {**GOOD_ORDER, "size": 1.0}, 'message.size: expected one of "s", "m", 1, got 1.0'),
        (Order, {**GOOD_ORDER, "version": 2}, "message.version: unknown field"),
        (Order, {**GOOD_ORDER, "self": 2}, "message.self: unknown field"),
        (int | str, 1.5, "message: expected a whole number or text, got 1.5"),
        (Item | None, 5, "message: expected an object, got 5"),
        (
            list[int] | int | Item,
            "x",
            'message: expected a list or a whole number or an object, got "x"',
        ),
        (float, float("inf"), "message: expected a number, got Infinity"),
        (str, 5, "message: expected text, got 5"),
        (int, "é" * 100, f'message: expected a whole number, got "{"é" * 36}...'),
        (None, 0, "message: expected null, got 0"),
    ],
)
def test_a_wrong_message_names_the_field(type_: Any, value: Any, sentence: str) -> None:
    """The sentence has the path to the value, what was expected, and what came."""
    assert refusal(type_, value) == sentence


def test_a_hostile_field_name_is_quoted_and_cut() -> None:
    """The name of an unknown field is the peer's text: it comes back short and in quotes."""
    sentence = refusal(Item, {"name": "x", "\n<b>" + "y" * 1000: 1})
    assert sentence.startswith('message["\\n<b>yyy')
    assert len(sentence) < 100


@pytest.mark.parametrize(
    ("type_", "value", "expected"),
    [
        (Any, {"a": [1]}, {"a": [1]}),
        (object, None, None),
        (float, 3, 3.0),
        (Optional[int], None, None),  # noqa: UP045 - the old spelling works too
        (int | str, "x", "x"),
        (Annotated[int, "metres"], 5, 5),
        (list, [1, "a"], [1, "a"]),
        (dict, {"a": 1}, {"a": 1}),
        (tuple, [1], (1,)),
        (tuple[int, ...], [1, 2, 3], (1, 2, 3)),
        (Sequence[int], [1], [1]),
        (Mapping[str, int], {"a": 1}, {"a": 1}),
        (dict[str, Any], {"a": None}, {"a": None}),
    ],
)
def test_other_types_are_read(type_: Any, value: Any, expected: Any) -> None:
    """Types besides dataclasses are read by themselves."""
    found = decode(type_, value)
    assert found == expected
    assert type(found) is type(expected)


def test_post_init_may_refuse() -> None:
    """A ValueError of the author's own check is a refusal with its text; other refusals stay."""
    assert decode(Even, {"number": 2}) == Even(2)
    assert refusal(Even, {"number": 3}) == "message: number: expected an even one, got 3"
    with pytest.raises(ApplicationError, match="At most a hundred"):
        decode(Even, {"number": 102})


@pytest.mark.parametrize("type_", [set[int], bytes, dict[int, str], complex, "nowhere"])
def test_types_that_json_lacks_are_refused_at_once(type_: Any) -> None:
    """An annotation that can never work is an error when the function is registered."""
    with pytest.raises(TypeError):
        decoder_for(type_)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["number", "is_paid", "items", "name", "price", "size", "first", "x"]),
            inner,
            max_size=6,
        )
    ),
    max_leaves=20,
)


@given(JSON)
def test_any_value_is_read_or_refused(value: Any) -> None:
    """Nothing that JSON can say makes the reader fail in another way."""
    with suppress(InvalidMessage):
        assert isinstance(decode(Order, value), Order)


def test_the_second_argument_is_the_message() -> None:
    """Its annotation says what it is; text annotations, and None, are understood."""

    def typed(client: Client, message: Item) -> None:
        """Has an annotation for type checkers only beside one that counts."""

    def untyped(client, message):  # type: ignore[no-untyped-def]
        """Has none."""

    def alone(client: Client, *, option: int = 0) -> None:
        """Takes no message."""

    decoder = argument_decoder(typed)
    assert decoder is not None
    assert decoder({"name": "pen"}) == Item("pen")
    decoder = argument_decoder(untyped)
    assert decoder is not None
    assert decoder({"any": "thing"}) == {"any": "thing"}
    assert argument_decoder(alone) is None


def test_a_function_that_cannot_be_called_is_refused() -> None:
    """A wrong number of arguments, or an annotation that leads nowhere, is told at once."""

    def three(client: Any, message: Any, more: Any) -> None:
        """Takes too many."""

    def lost(client: Any, message: Nowhere) -> None:  # type: ignore[name-defined]  # noqa: F821
        """Has an annotation that does not exist."""

    with pytest.raises(TypeError, match=r"three: expected the arguments \(client, message\)"):
        argument_decoder(three)
    with pytest.raises(TypeError, match=r"lost: cannot use the annotation .*'Nowhere'"):
        argument_decoder(lost)


def test_a_wrapped_function_keeps_its_type() -> None:
    """Decorators such as Django's transaction.atomic do not hide the annotation."""

    def wrap(function: Any) -> Any:
        @functools.wraps(function)
        def wrapper(*arguments: Any) -> Any:
            return function(*arguments)

        return wrapper

    @wrap
    def typed(client: Client, message: Item) -> None:
        """Has one wrapper around it."""

    decoder = argument_decoder(typed)
    assert decoder is not None
    assert decoder({"name": "pen"}) == Item("pen")
