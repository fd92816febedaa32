"""Values and text as bytes."""

import json
import math
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum, IntEnum, StrEnum
from types import MappingProxyType
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from thywill_server.encoding import encode_json, encode_text, plain

JSON_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=())),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(st.characters(exclude_categories=())), inner, max_size=4)
    ),
    max_leaves=12,
)


@dataclass
class Point:
    x: int
    y: list[int]


class Marked(str):
    """As Django's SafeString is one."""


class Meters(float):
    pass


class Count(int):
    pass


class Color(Enum):
    RED = "red"


class Level(IntEnum):
    LOW = 1


class Name(StrEnum):
    ADA = "ada"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", b""),
        ("héllo <b>&\"' 你好", "héllo <b>&\"' 你好".encode()),
        ("\U0001f600", b"\xf0\x9f\x98\x80"),
        ("\ud83d\ude00", b"\xf0\x9f\x98\x80"),
        ("a\ud800b", b"a\xef\xbf\xbdb"),
        ("\udc00", b"\xef\xbf\xbd"),
        ("\x00\n", b"\x00\n"),
    ],
)
def test_text_is_always_valid_utf8(text: str, expected: bytes) -> None:
    """Surrogate pairs are joined and lone ones replaced, as a browser's TextEncoder does."""
    assert encode_text(text) == expected


@given(st.text(st.characters(exclude_categories=())))
def test_any_text_can_be_encoded(text: str) -> None:
    """No text fails, and what has no surrogates is not changed."""
    decoded = encode_text(text).decode()
    if not any(0xD800 <= ord(character) <= 0xDFFF for character in text):
        assert decoded == text


@given(JSON_VALUES)
def test_json_comes_back(value: Any) -> None:
    """A JSON value is read back equal, lone surrogates included, and the bytes are UTF-8."""
    encoded = encode_json(value)
    assert json.loads(encoded.decode("utf-8")) == value


def test_json_is_compact_and_not_escaped() -> None:
    """Separators have no blanks, and characters are themselves."""
    assert encode_json({"a": [1, 2], "b": "é"}) == '{"a":[1,2],"b":"é"}'.encode()


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (Point(1, [2, 3]), {"x": 1, "y": [2, 3]}),
        ([Point(1, [])], [{"x": 1, "y": []}]),
        ((1, 2), [1, 2]),
        (Color.RED, "red"),
        ({"level": Level.LOW, "name": Name.ADA}, {"level": 1, "name": "ada"}),
        (datetime(2026, 11, 20, 12, 30, tzinfo=UTC), "2026-11-20T12:30:00+00:00"),
        (date(2026, 11, 20), "2026-11-20"),
        (UUID(int=1), "00000000-0000-0000-0000-000000000001"),
        (Decimal("1.10"), "1.10"),
        (MappingProxyType({"a": 1}), {"a": 1}),
    ],
)
def test_python_values_have_a_json_form(value: Any, expected: Any) -> None:
    """Both ways to make JSON agree on what common Python values become."""
    assert json.loads(encode_json(value)) == expected
    assert plain(value) == expected


@pytest.mark.parametrize("value", [object(), {1, 2}, b"bytes", {"a": object()}, Point, 1j])
def test_what_json_cannot_hold_is_a_type_error(value: Any) -> None:
    """A value without a JSON form is refused where it is made, by both."""
    with pytest.raises(TypeError):
        encode_json(value)
    with pytest.raises(TypeError):
        plain(value)


@pytest.mark.parametrize("value", [math.nan, [math.inf], {"a": -math.inf}])
def test_numbers_that_browsers_cannot_read_are_refused(value: Any) -> None:
    """NaN and the infinities are no JSON."""
    with pytest.raises(ValueError, match="JSON"):
        encode_json(value)
    with pytest.raises(ValueError, match="JSON"):
        plain(value)


def test_plain_values_are_exactly_plain() -> None:
    """Subclasses become the plain types themselves."""
    value = plain({Name.ADA: [Level.LOW, True, Name.ADA, Marked("x"), Count(1), Meters(1.5)]})
    assert [type(item) for item in value["ada"]] == [int, bool, str, str, int, float]
    assert type(next(iter(value))) is str


def test_plain_refuses_keys_that_are_no_text() -> None:
    """A number as a key would silently become text on the way."""
    with pytest.raises(TypeError, match="keys"):
        plain({1: "one"})
