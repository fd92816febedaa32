"""The settings of one application, as a dataclass with defaults.

An application that has bounds of its own writes them down once, and reads them once::

    @dataclass(frozen=True)
    class Bounds:
        max_rooms: int = 500
        say_rate: str = "50/5s"

    bounds = own_settings("CHAT", Bounds)        # settings.py: CHAT = {"max_rooms": 20}
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields
from typing import Any, NamedTuple, TypeVar, get_args, get_type_hints

__all__ = ["own_settings"]

T = TypeVar("T")


class _Kind(NamedTuple):
    """What a field may hold."""

    fits: Callable[[Any], bool]
    expected: str


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value > 0


KINDS: Mapping[type, _Kind] = {
    bool: _Kind(lambda value: isinstance(value, bool), "True or False"),
    int: _Kind(lambda value: type(value) is int and value > 0, "a whole number above 0"),
    float: _Kind(_is_number, "a number above 0"),
    str: _Kind(lambda value: isinstance(value, str), "text"),
}


def own_settings(name: str, kind: type[T]) -> T:
    """Read the settings of one application from settings.py.

    Args:
        name: of the dictionary there, such as ``CHAT``; without it the defaults hold.
        kind: a dataclass. Each field has a default and is an ``int`` or a ``float`` above 0, a
            ``bool`` or a ``str``, or one of these ``| None``.

    Returns:
        The dataclass, with what the dictionary says.

    Raises:
        ImproperlyConfigured: a key that is no field, or a value of another kind; one sentence.
        TypeError: the dataclass itself is none of that form.
    """
    # Applications are imported before Django is set up, or without it.
    from django.conf import settings
    from django.core.exceptions import ImproperlyConfigured

    kinds = {field.name: _kind_of(kind, field) for field in fields(kind)}  # type: ignore[arg-type]
    given = getattr(settings, name, {})
    if not isinstance(given, Mapping):
        raise ImproperlyConfigured(f"{name}: expected a dictionary: {given!r}")
    values: dict[str, Any] = {}
    for key, value in given.items():
        if key not in kinds:
            raise ImproperlyConfigured(f'{name}["{key}"]: expected one of {", ".join(kinds)}')
        plain, may_be_none = kinds[key]
        if not (value is None and may_be_none):
            if not KINDS[plain].fits(value):
                expected = KINDS[plain].expected + (", or None" if may_be_none else "")
                raise ImproperlyConfigured(f'{name}["{key}"]: expected {expected}: {value!r}')
            value = plain(value)
        values[key] = value
    return kind(**values)


def _kind_of(kind: type, field: Any) -> tuple[type, bool]:
    """Give the plain type of a field, and whether it may be None."""
    hint = get_type_hints(kind)[field.name]
    plain = [each for each in get_args(hint) or (hint,) if each is not type(None)]
    has_default = field.default is not MISSING or field.default_factory is not MISSING
    if len(plain) != 1 or plain[0] not in KINDS or not has_default:
        raise TypeError(
            f"{kind.__name__}.{field.name}: expected int, float, bool or str, perhaps | None, "
            "with a default"
        )
    return plain[0], len(get_args(hint)) > 1
