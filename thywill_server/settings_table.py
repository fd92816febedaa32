"""One setting of a component: what it is, what it may be, and the sentence when it is not."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Literal

Kind = Literal[
    "str", "int", "float", "bool", "path", "list", "names", "mapping", "dotted path", "any"
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One setting of a component.

    Checks, start-up errors and the settings reference are all made from this table, so its help is
    a whole sentence for the person who edits ``settings.py``.

    Attributes:
        kind: ``"str"``, ``"int"``, ``"float"`` (takes whole numbers too), ``"bool"``, ``"path"``
            (text or a Path; arrives as Path), ``"list"`` (of text), ``"names"`` (one dotted name or
            a list of them; arrives as list), ``"mapping"`` (of text to anything),
            ``"dotted path"``, ``"any"`` (the component's own ``check`` looks at it).
        help: what it does, with its unit and what happens when a bound is reached.
        default: used when the setting is absent; a default of None means that None is fine too.
        required: whether it must be given.
        minimum: smallest number, inclusive.
        maximum: largest number, inclusive.
        choices: the values that are allowed, when they can be counted (for ``"list"``: its items).
        secret: whether its value must not be shown in sentences.
    """

    kind: Kind
    help: str
    default: Any = None
    required: bool = False
    minimum: float | None = None
    maximum: float | None = None
    choices: tuple[Any, ...] = ()
    secret: bool = False

    def problem(self, value: object) -> str | None:
        """Say what is wrong with a value: ``expected 1-65535, got 'x'``; None when it is fine."""
        if value is None and self.default is None and not self.required:
            return None
        if not self._is_of_kind(value):
            return self._expected_but_got(value)
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            too_small = self.minimum is not None and value < self.minimum
            too_large = self.maximum is not None and value > self.maximum
            if too_small or too_large:
                return self._expected_but_got(value)
        if self.choices:
            items = value if isinstance(value, (list, tuple)) else [value]
            for item in items:
                if item not in self.choices:
                    return self._expected_but_got(item) + did_you_mean(item, self.choices)
        return None

    def value_of(self, value: Any) -> Any:
        """Give the value in the form that the component works with; the value is fine already."""
        if value is None:
            return None
        if self.kind == "path":
            return Path(value)
        if self.kind == "float":
            return float(value)
        if self.kind in ("list", "names"):
            return [value] if isinstance(value, str) else list(value)
        if self.kind == "mapping":
            return dict(value)
        return value

    @property
    def expectation(self) -> str:
        """What the setting may be, as words that follow "expected"."""
        if self.choices:
            listed = ", ".join(f'"{choice}"' for choice in self.choices)
            return f"{'a list of' if self.kind == 'list' else 'one of'} {listed}"
        if self.minimum is not None and self.maximum is not None:
            return f"{self.minimum}-{self.maximum}"
        if self.minimum is not None:
            return f"{_WORDS[self.kind]} of at least {self.minimum}"
        if self.maximum is not None:
            return f"{_WORDS[self.kind]} of at most {self.maximum}"
        return _WORDS[self.kind]

    def _is_of_kind(self, value: object) -> bool:
        return _TESTS[self.kind](value)

    def _expected_but_got(self, value: object) -> str:
        shown = "something else" if self.secret else shortened(value)
        return f"expected {self.expectation}, got {shown}"


def did_you_mean(wrong: object, known: Mapping[str, object] | tuple[Any, ...]) -> str:
    """Give ``; did you mean "stomp_port"?`` when a known name is near, else nothing."""
    near = get_close_matches(str(wrong), [str(name) for name in known], n=1)
    return f'; did you mean "{near[0]}"?' if near else ""


def shortened(value: object, length: int = 60) -> str:
    """Give a value as Python writes it, cut where it gets long."""
    text = repr(value)
    return text if len(text) <= length else text[: length - 3] + "..."


def file_problem(path: Path) -> str | None:
    """Say why a file cannot be written or made; None when it can. Nothing is made."""
    path = path.absolute()
    if path.is_dir():
        return f'expected a file, got the folder "{path}"'
    nearest = path
    while not nearest.exists() and nearest != nearest.parent:
        nearest = nearest.parent
    if nearest != path and not nearest.is_dir():
        return f'cannot make "{path}": "{nearest}" is no folder'
    if not os.access(nearest, os.W_OK):
        return f'cannot write "{path}": no permission'
    return None


def _is_dotted(value: object) -> bool:
    return (
        isinstance(value, str)
        and bool(value)
        and all(part.isidentifier() for part in value.split("."))
    )


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def _is_list_of(test: Callable[[object], bool], value: object) -> bool:
    return isinstance(value, (list, tuple)) and all(test(item) for item in value)


_WORDS: dict[str, str] = {
    "str": "text",
    "int": "a whole number",
    "float": "a number",
    "bool": "True or False",
    "path": "a path",
    "list": "a list of texts",
    "names": "a dotted name or a list of them",
    "mapping": "a mapping with text as keys",
    "dotted path": 'a dotted path such as "package.module.Name"',
    "any": "a value",
}

_TESTS: dict[str, Callable[[object], bool]] = {
    "str": lambda value: isinstance(value, str),
    "int": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "float": _is_number,
    "bool": lambda value: isinstance(value, bool),
    "path": lambda value: isinstance(value, (str, os.PathLike)) and bool(os.fspath(value)),
    "list": lambda value: _is_list_of(lambda item: isinstance(item, str), value),
    "names": lambda value: _is_dotted(value) or _is_list_of(_is_dotted, value),
    "mapping": lambda value: isinstance(value, Mapping) and all(isinstance(k, str) for k in value),
    "dotted path": _is_dotted,
    "any": lambda value: True,
}
