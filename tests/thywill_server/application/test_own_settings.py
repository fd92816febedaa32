"""The settings of one application: read whole, or refused in one sentence."""

from dataclasses import dataclass
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from pytest_django import Settings

from thywill_server.application import own_settings


@dataclass(frozen=True)
class Bounds:
    """One field of each kind."""

    max_rooms: int = 500
    seconds: float = 1.5
    rate: str = "50/5s"
    is_open: bool = True
    limit: int | None = None


def test_without_any_the_defaults_hold() -> None:
    """The dictionary may be missing."""
    assert own_settings("NOBODY_HAS_THESE", Bounds) == Bounds()


def test_what_is_given_holds(settings: Settings) -> None:
    """The rest is as it was; a whole number will do for any number."""
    settings.HALL = {"max_rooms": 3, "seconds": 2, "is_open": False, "limit": None}
    bounds = own_settings("HALL", Bounds)
    assert bounds == Bounds(max_rooms=3, seconds=2.0, is_open=False)
    assert type(bounds.seconds) is float


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ([], "HALL: expected a dictionary: []"),
        (
            {"max_room": 3},
            'HALL["max_room"]: expected one of max_rooms, seconds, rate, is_open, limit',
        ),
        ({"max_rooms": True}, 'HALL["max_rooms"]: expected a whole number above 0: True'),
        ({"max_rooms": 0}, 'HALL["max_rooms"]: expected a whole number above 0: 0'),
        ({"max_rooms": None}, 'HALL["max_rooms"]: expected a whole number above 0: None'),
        ({"seconds": "1"}, "HALL[\"seconds\"]: expected a number above 0: '1'"),
        ({"seconds": float("nan")}, 'HALL["seconds"]: expected a number above 0: nan'),
        ({"seconds": True}, 'HALL["seconds"]: expected a number above 0: True'),
        ({"rate": 5}, 'HALL["rate"]: expected text: 5'),
        ({"is_open": 1}, 'HALL["is_open"]: expected True or False: 1'),
        ({"limit": 0}, 'HALL["limit"]: expected a whole number above 0, or None: 0'),
    ],
)
def test_what_is_wrong_is_one_sentence(given: Any, sentence: str, settings: Settings) -> None:
    """It says where, what was expected and what was found."""
    settings.HALL = given
    with pytest.raises(ImproperlyConfigured) as error:
        own_settings("HALL", Bounds)
    assert str(error.value) == sentence


def test_a_dataclass_of_another_form_is_refused() -> None:
    """Lists and fields without a default are for other means."""

    @dataclass
    class Lists:
        names: list[str]

    @dataclass
    class WithoutDefault:
        size: int

    for kind in (Lists, WithoutDefault):
        with pytest.raises(TypeError, match=kind.__name__):
            own_settings("HALL", kind)
