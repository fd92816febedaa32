"""JSON from strangers."""

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from thywill_server.client_interface.django_site.strict_json import MalformedJsonError, parse

JSON_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: (
        st.lists(inner) | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner)
    ),
    max_leaves=20,
)


@given(JSON_VALUES, st.booleans())
def test_every_json_value_is_read(value: Any, ensure_ascii: bool) -> None:
    """What Python writes as JSON is read back the same."""
    assert parse(json.dumps(value, ensure_ascii=ensure_ascii).encode(), 100) == value


@given(st.binary())
def test_any_bytes_give_a_value_or_the_one_error(body: bytes) -> None:
    """Nothing but MalformedJsonError escapes, whatever the bytes are."""
    with contextlib.suppress(MalformedJsonError):
        parse(body, 10)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "not JSON"),
        (b"{'a': 1}", "not JSON"),
        (b"[1,]", "not JSON"),
        (b"1 2", "not JSON"),
        (b"\xff", "not UTF-8: byte 0"),
        (b'"\xed\xa0\xbd"', "not UTF-8: byte 1"),
        (b"\xef\xbb\xbf1", "byte order mark"),
        (b"NaN", "NaN is not a JSON value"),
        (b"[-Infinity]", "-Infinity is not a JSON value"),
        (b"1e999", "too large"),
        (b"-1e999", "too large"),
        (b"1" * 5000, "not JSON"),
        (b'{"a": 1, "b": 2, "a": 3}', "'a' occurs twice"),
        (b'[{"x": {"a": 1, "a": 1}}]', "'a' occurs twice"),
        (b'"\\ud83d"', "surrogate"),
        (b'{"\\ude00": 1}', "surrogate"),
        (b'[["\\ude00\\ud83d"]]', "surrogate"),
        (b"[" * 10_000 + b"]" * 10_000, "nested deeper than 4"),
        (b"[" * 100_000, "nested deeper than 4"),
        (b'{"a":' * 100_000, "nested deeper than 4"),
    ],
)
def test_what_is_refused(body: bytes, reason: str) -> None:
    """Each refusal says why."""
    with pytest.raises(MalformedJsonError, match=reason):
        parse(body, 4)


def test_whole_surrogate_pairs_are_one_character() -> None:
    """An escaped pair is the character that it stands for."""
    assert parse(b'"\\ud83d\\ude00"', 4) == "\U0001f600"


@pytest.mark.parametrize("depth", [1, 2, 4])
def test_depth_counts_lists_and_objects(depth: int) -> None:
    """As many containers as allowed may be inside each other, empty or not."""
    for body in (b"[" * depth + b"]" * depth, b'{"a":' * depth + b"1" + b"}" * depth):
        parse(body, depth)
        with pytest.raises(MalformedJsonError, match="nested"):
            parse(b"[" + body + b"]", depth)


def test_brackets_in_text_are_no_depth() -> None:
    """What looks deep and is not is taken."""
    assert parse(b'{"a": "[[[[{{{{"}', 1) == {"a": "[[[[{{{{"}
    with pytest.raises(MalformedJsonError, match="nested"):
        parse(b'{"a": [[], "]]"]}', 2)


def test_an_escape_beside_text_that_needs_none_is_looked_at() -> None:
    """Half of a pair is found wherever it stands."""
    for body in (b'{"a": "\\ud800"}', b'{"\\ud800": 1}', '["é", "\\udc00"]'.encode()):
        with pytest.raises(MalformedJsonError, match="surrogate"):
            parse(body, 4)
