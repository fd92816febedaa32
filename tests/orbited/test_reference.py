"""The reference page says what the code has."""

import re

from orbited.config import LISTEN_SCHEMES, SECTIONS, from_text
from tests.support.settings_tables import PAGE, page_with_tables, table

TEXT = PAGE.read_text("utf-8")


def test_every_section_and_key_is_there():
    """With default, unit and sentence; ``python -m tests.support.settings_tables`` mends it."""
    assert page_with_tables(TEXT) == TEXT
    for section in SECTIONS:
        assert f"### [{section}]\n" in TEXT
        assert table(section) in TEXT


def test_every_scheme_is_there():
    """Of [listen]."""
    rows = re.search(r"\| scheme \|.*?\n\n", TEXT, re.DOTALL)
    assert rows is not None
    assert set(re.findall(r"`(\w+)`", rows[0])) >= set(LISTEN_SCHEMES)


def test_the_examples_are_read():
    """Each piece of a configuration on the page."""
    examples = re.findall(r"```ini\n(.*?)```", TEXT, re.DOTALL)
    assert len(examples) >= 2
    for example in examples:
        from_text(example)


def test_what_the_tables_say_can_be_written():
    """Every default, as the page spells it, is taken by the section and changes nothing."""
    for section in SECTIONS:
        rows = re.findall(r"^\| `([\w.]+)` \| `?(.*?)`? \|", table(section), re.MULTILINE)
        assert rows
        lines = [f"{key} = {'' if value == 'empty' else value}" for key, value in rows]
        assert from_text("\n".join([f"[{section}]", *lines])) == from_text("")
