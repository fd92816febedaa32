"""Typed messages: a JSON value into a dataclass, or a sentence that names the field.

A decoder is made once for each annotated type, by `decoder_for`, and called for each message. It
is strict, since a guess here becomes a bug in an application: ``true`` is no number, ``"1"``
neither, and a field nobody declared is refused. A refusal reads
``message.items[2].price: expected a number, got "x"``.

Understood are dataclasses, ``list``, ``dict`` with text as keys, ``tuple``, ``Optional`` and other
unions, ``Literal``, ``Enum``, ``str``, ``int``, ``float``, ``bool``, ``None``, ``Any`` and
``Annotated``. A ``ValueError`` from a dataclass's ``__post_init__`` is a refusal too, with its
text.
"""

from __future__ import annotations

import dataclasses
import inspect
import json
import math
import types
import typing
from collections.abc import Callable, Sequence
from enum import Enum
from typing import Any, Final, Literal, Union, get_args, get_origin

from thywill_server.encoding import Json
from thywill_server.errors import ApplicationError
from thywill_server.settings_table import did_you_mean

Decoder = Callable[[Json], Any]
PathDecoder = Callable[[Json, str], Any]

ROOT: Final = "message"


class InvalidMessage(ApplicationError):  # noqa: N818 - a refusal, see thywill_server.errors
    """A message is not what the command expects; the sentence names the field."""

    def __init__(self, path: str, problem: str) -> None:
        super().__init__("invalid-message", f"{path}: {problem}")


def argument_decoder(function: Callable[..., Any]) -> Decoder | None:
    """Give what turns a message into a function's second argument; None when it has only one.

    Raises:
        TypeError: the function takes another number of arguments, or its annotation is not
            understood.
    """
    parameters = [
        parameter
        for parameter in inspect.signature(function).parameters.values()
        if parameter.kind in (parameter.POSITIONAL_ONLY, parameter.POSITIONAL_OR_KEYWORD)
        and parameter.default is parameter.empty
    ]
    name = getattr(function, "__qualname__", repr(function))
    if len(parameters) not in (1, 2):
        raise TypeError(f"{name}: expected the arguments (client, message) or (client)")
    if len(parameters) == 1:
        return None
    annotation = parameters[1].annotation
    if annotation is inspect.Parameter.empty:
        return decoder_for(Any)
    try:
        return decoder_for(_evaluated(annotation, function))
    except (NameError, TypeError) as error:
        raise TypeError(f"{name}: cannot use the annotation of its message ({error})") from error


def fields_decoder(function: Callable[..., Any]) -> Decoder:
    """Give what turns an object into a function's keyword-only arguments, as a dict.

    Raises:
        TypeError: an annotation is not understood.
    """
    decoders: dict[str, PathDecoder] = {}
    required = []
    for parameter in inspect.signature(function).parameters.values():
        if parameter.kind is not parameter.KEYWORD_ONLY:
            continue
        annotation = Any if parameter.annotation is parameter.empty else parameter.annotation
        try:
            decoders[parameter.name] = _decoder(_evaluated(annotation, function), {})
        except (NameError, TypeError) as error:
            name = getattr(function, "__qualname__", repr(function))
            sentence = f"{name}: cannot use the annotation of {parameter.name} ({error})"
            raise TypeError(sentence) from error
        if parameter.default is parameter.empty:
            required.append(parameter.name)
    return lambda value: _fields(value, ROOT, decoders, required)


def decoder_for(type_: Any) -> Decoder:
    """Give the function that reads a JSON value as this type.

    Raises:
        TypeError: the type is none that JSON can be read as.
    """
    decode = _decoder(type_, {})
    return lambda value: decode(value, ROOT)


def _evaluated(annotation: Any, function: Callable[..., Any]) -> Any:
    """Evaluate an annotation that is text, and only this one: others may be for type checkers."""
    holder = type("_Annotation", (), {"__annotations__": {"message": annotation}})
    function = inspect.unwrap(function)
    namespace = getattr(function, "__globals__", {})
    hints = typing.get_type_hints(holder, globalns=namespace, include_extras=True)
    return hints["message"]


def _decoder(type_: Any, known: dict[Any, list[PathDecoder]]) -> PathDecoder:
    """Make a decoder; ``known`` holds the dataclasses under way, which may refer to themselves."""
    if type_ in (Any, object):
        return lambda value, path: value
    if type_ in _PRIMITIVES:
        return _PRIMITIVES[type_]
    origin = get_origin(type_)
    arguments = get_args(type_)
    if origin is typing.Annotated:
        return _decoder(arguments[0], known)
    if origin in (Union, types.UnionType):
        return _union(arguments, known)
    if origin is Literal:
        return _one_of({_json_key(choice): choice for choice in arguments})
    if type_ in (list, dict, tuple):
        origin, arguments = type_, ()
    if origin in (list, Sequence):
        return _list(arguments, known, list)
    if origin is tuple:
        return _tuple(arguments, known)
    if origin is not None and issubclass(origin, typing.Mapping):
        return _mapping(arguments, known)
    if isinstance(type_, type) and issubclass(type_, Enum):
        return _one_of({_json_key(member.value): member for member in type_})
    if isinstance(type_, type) and dataclasses.is_dataclass(type_):
        return _dataclass(type_, known)
    raise TypeError(f"{type_!r} is no type that JSON can be read as")


def _dataclass(cls: type, known: dict[Any, list[PathDecoder]]) -> PathDecoder:
    if cls in known:
        made = known[cls]
        return lambda value, path: made[0](value, path)
    known[cls] = made = []
    hints = typing.get_type_hints(cls, include_extras=True)
    own = {field.name: field for field in dataclasses.fields(cls) if field.init}
    decoders = {name: _decoder(hints[name], known) for name in own}
    required = [
        name
        for name, field in own.items()
        if field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
    ]

    def decode(value: Json, path: str) -> Any:
        items = _fields(value, path, decoders, required)
        try:
            return cls(**items)
        except ApplicationError:
            raise
        except ValueError as error:
            raise InvalidMessage(path, str(error)) from error

    made.append(decode)
    return decode


def _fields(
    value: Json, path: str, decoders: typing.Mapping[str, PathDecoder], required: Sequence[str]
) -> dict[str, Any]:
    """Read an object that has these fields, and no other ones."""
    if not isinstance(value, dict):
        raise InvalidMessage(path, f"expected an object, got {_shown(value)}")
    for name in value:
        if name not in decoders:
            hint = did_you_mean(name, tuple(decoders))
            raise InvalidMessage(_below(path, name), f"unknown field{hint}")
    for name in required:
        if name not in value:
            raise InvalidMessage(_below(path, name), "missing")
    return {name: decoders[name](item, _below(path, name)) for name, item in value.items()}


def _union(arguments: tuple[Any, ...], known: dict[Any, list[PathDecoder]]) -> PathDecoder:
    """Try each member in turn. With one besides None, its own sentence is the useful one."""
    is_optional = type(None) in arguments
    members = [member for member in arguments if member is not type(None)]
    decoders = [_decoder(member, known) for member in members]
    expected = " or ".join(_name_of(member) for member in arguments)

    def decode(value: Json, path: str) -> Any:
        if is_optional and value is None:
            return None
        if len(decoders) == 1:
            return decoders[0](value, path)
        for decoder in decoders:
            try:
                return decoder(value, path)
            except InvalidMessage:
                continue
        raise InvalidMessage(path, f"expected {expected}, got {_shown(value)}")

    return decode


def _list(
    arguments: tuple[Any, ...],
    known: dict[Any, list[PathDecoder]],
    make: Callable[[list[Any]], Any],
) -> PathDecoder:
    item_decoder = _decoder(arguments[0] if arguments else Any, known)

    def decode(value: Json, path: str) -> Any:
        if not isinstance(value, list):
            raise InvalidMessage(path, f"expected a list, got {_shown(value)}")
        return make([item_decoder(item, f"{path}[{i}]") for i, item in enumerate(value)])

    return decode


def _tuple(arguments: tuple[Any, ...], known: dict[Any, list[PathDecoder]]) -> PathDecoder:
    if not arguments or arguments[-1] is Ellipsis:
        return _list(arguments[:1], known, tuple)
    decoders = [_decoder(argument, known) for argument in arguments]

    def decode(value: Json, path: str) -> Any:
        if not isinstance(value, list) or len(value) != len(decoders):
            raise InvalidMessage(path, f"expected a list of {len(decoders)}, got {_shown(value)}")
        return tuple(
            decoder(item, f"{path}[{i}]")
            for i, (decoder, item) in enumerate(zip(decoders, value, strict=True))
        )

    return decode


def _mapping(arguments: tuple[Any, ...], known: dict[Any, list[PathDecoder]]) -> PathDecoder:
    if arguments and arguments[0] is not str:
        raise TypeError(f"a JSON object has text as keys, not {arguments[0]!r}")
    item_decoder = _decoder(arguments[1] if arguments else Any, known)

    def decode(value: Json, path: str) -> Any:
        if not isinstance(value, dict):
            raise InvalidMessage(path, f"expected an object, got {_shown(value)}")
        return {name: item_decoder(item, _below(path, name)) for name, item in value.items()}

    return decode


def _one_of(choices: dict[tuple[type, Any], Any]) -> PathDecoder:
    expected = "one of " + ", ".join(_shown(choice) for _, choice in choices)

    def decode(value: Json, path: str) -> Any:
        # The type is part of the key: in Python True == 1 and 1 == 1.0.
        if isinstance(value, (list, dict)) or _json_key(value) not in choices:
            raise InvalidMessage(path, f"expected {expected}, got {_shown(value)}")
        return choices[_json_key(value)]

    return decode


def _json_key(value: Any) -> tuple[type, Any]:
    return type(value), value


def _strict(
    expected: str, accepts: Callable[[Json], bool], make: Callable[[Any], Any]
) -> PathDecoder:
    def decode(value: Json, path: str) -> Any:
        if not accepts(value):
            raise InvalidMessage(path, f"expected {expected}, got {_shown(value)}")
        return make(value)

    return decode


def _is_number(value: Json) -> bool:
    return type(value) is int or (type(value) is float and math.isfinite(value))


_PRIMITIVES: Final[dict[Any, PathDecoder]] = {
    str: _strict("text", lambda value: type(value) is str, str),
    int: _strict("a whole number", lambda value: type(value) is int, int),
    float: _strict("a number", _is_number, float),
    bool: _strict("true or false", lambda value: type(value) is bool, bool),
    None: _strict("null", lambda value: value is None, lambda value: None),
    type(None): _strict("null", lambda value: value is None, lambda value: None),
}

_NAMES: Final[dict[Any, str]] = {
    str: "text",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    type(None): "null",
}


def _name_of(type_: Any) -> str:
    if type_ in _NAMES:
        return _NAMES[type_]
    if get_origin(type_) is list:
        return "a list"
    return "an object"


def _below(path: str, name: str) -> str:
    """Give a field's path; a peer chose the name, so it is cut and quoted when it is no word."""
    return (
        f"{path}.{name}" if name.isidentifier() and len(name) <= 60 else f"{path}[{_shown(name)}]"
    )


def _shown(value: Json) -> str:
    """Give a value as JSON, cut: it goes back to the peer who sent it."""
    if isinstance(value, dict):
        return "an object"
    if isinstance(value, list):
        return f"a list of {len(value)}"
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 40 else text[:37] + "..."
