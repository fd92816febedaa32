"""The tables of ``documentation/reference/`` that follow from the code.

``python -m tests.support.reference_tables`` writes them into the pages anew; a test compares. A
table stands between ``<!-- NAME, made from the code -->`` and ``<!-- end -->``.
"""

import argparse
import importlib
import os
import re
from collections.abc import Callable
from pathlib import Path

REFERENCE = Path(__file__).parents[2] / "documentation" / "reference"

_PLACE = re.compile(r"(<!-- ([\w ]+), made from the code -->\n)(.*?)(<!-- end -->)", re.DOTALL)


def page_with_tables(text: str) -> str:
    """The page with every table made anew."""
    return _PLACE.sub(lambda found: f"{found[1]}\n{_made(found[2])}\n{found[4]}", text)


def _made(name: str) -> str:
    kind, _, section = name.partition(" ")
    return _TABLES[kind](section)


def settings(section: str) -> str:
    """For each implementation of a contract: its dotted path, what it is, and its settings."""
    from tests.contracts.implementations import implementations

    parts = []
    for cls in implementations():
        if section != cls.SECTION:
            continue
        rows = [("setting", "default", "takes", "")]
        rows += [
            (
                f"`{name}`",
                _value(setting.default, setting.required),
                setting.expectation.replace('"', "`"),
                setting.help,
            )
            for name, setting in cls.SETTINGS.items()
        ]
        body = _table(rows) if len(rows) > 1 else "It has no settings.\n"
        sentence = (cls.__doc__ or "").partition("\n\n")[0].replace("``", "`")
        parts.append(f"### `{dotted_path(cls)}`\n\n{' '.join(sentence.split())}\n\n{body}")
    return "\n".join(parts)


def dotted_path(cls: type) -> str:
    """The shortest path that a class can be named by."""
    module = cls.__module__
    package = module.rpartition(".")[0]
    if getattr(importlib.import_module(package), cls.__name__, None) is cls:
        module = package
    return f"{module}.{cls.__name__}"


def site_codes(section: str) -> str:
    """What the site refuses a request with."""
    from thywill_server.errors import CODES

    rows = [("code", "status", "the same message again", "sentence")]
    rows += [
        (f"`{code.name}`", str(code.status), _may(code.may_retry), code.sentence)
        for code in CODES.values()
    ]
    return _table(rows)


def comet_codes(section: str) -> str:
    """What Orbited closes a connection with."""
    from orbited.errors import CODES

    rows = [("code", "connect again", "sentence")]
    rows += [
        (str(code.number), _may(code.should_reconnect), code.sentence) for code in CODES.values()
    ]
    return _table(rows)


def stomp_codes(section: str) -> str:
    """What MorbidQ ends a STOMP connection with."""
    from morbid.errors import REFUSALS

    rows = [("code", "message", "sentence")]
    rows += [(f"`{each.code}`", each.message, each.sentence) for each in REFUSALS.values()]
    return _table(rows)


def check_ids(section: str) -> str:
    """The ids of the system checks, as their module tells them."""
    import thywill_server.checks

    found = re.findall(r"^(thywill\.[EW]\d+) +(.+)$", thywill_server.checks.__doc__ or "", re.M)
    return _table([("id", "meaning"), *((f"`{id_}`", _markdown(text)) for id_, text in found)])


def command(name: str) -> str:
    """The options of a command of ``manage.py``, or its words with theirs."""
    from django.core.management import load_command_class

    parser = load_command_class("thywill_server", name).create_parser("manage.py", name)
    words = [each for each in parser._actions if isinstance(each, argparse._SubParsersAction)]
    if not words:
        return _options(parser)
    parts = []
    for word, inner in sorted(words[0].choices.items()):
        sentence = (inner.description or "").partition("\n\n")[0]
        parts.append(f"### `manage.py {name} {word}`\n\n{' '.join(sentence.split())}\n")
        parts.append(_options(inner))
    return "\n".join(parts)


def _options(parser: argparse.ArgumentParser) -> str:
    rows = [("argument", "")]
    for action in parser._actions:
        words = [word for word in action.option_strings if word not in _OF_DJANGO]
        if action.option_strings and not words:
            continue
        shown = " ".join(words[-1:])
        if action.nargs != 0:
            shown = f"{shown} {action.metavar or action.dest.upper()}".strip()
        # As argparse does it, for those helps that name their default.
        text = (action.help or "") % {"default": action.default}
        rows.append((f"`{shown}`", text))
    return _table(rows)


_OF_DJANGO = {
    *("-h", "--help", "--version", "-v", "--verbosity", "--settings", "--pythonpath"),
    *("--traceback", "--no-color", "--force-color", "--skip-checks"),
}

_TABLES: dict[str, Callable[[str], str]] = {
    "settings": settings,
    "site": site_codes,
    "comet": comet_codes,
    "stomp": stomp_codes,
    "checks": check_ids,
    "command": command,
}


def _table(rows: list[tuple[str, ...]]) -> str:
    cells = [[cell.replace("|", "\\|") for cell in row] for row in rows]
    cells.insert(1, ["---"] * len(rows[0]))
    return "".join(f"| {' | '.join(row)} |\n" for row in cells)


def _value(default: object, required: bool) -> str:
    if required:
        return "required"
    if default is None:
        return "none"
    return f"`{default}`" if isinstance(default, os.PathLike) else f"`{default!r}`"


def _may(yes: bool) -> str:
    return "yes" if yes else "no"


def _markdown(text: str) -> str:
    return text.replace("``", "`")


def main() -> None:
    """Write every table anew."""
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "settings")
    django.setup()
    for page in sorted(REFERENCE.glob("*.md")):
        text = page.read_text("utf-8")
        if (made := page_with_tables(text)) != text:
            page.write_text(made, "utf-8")


if __name__ == "__main__":
    main()
