"""The how-to page on commands: its application, what goes wrong in it, and its settings."""

from __future__ import annotations

import importlib
import json
import re
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from pytest_django import Settings

from tests.support.documentation import files, text_of, write
from tests.support.page import thywill
from thywill_apps.commands.bounds import Bounds
from thywill_server import testing

PAGE = "documentation/how-to/commands.md"


@pytest.fixture(autouse=True)
def site(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: Settings, db: None
) -> Iterator[None]:
    """A site with the application of the page, and push in memory."""
    for path, text in files(PAGE):
        write(tmp_path, path.replace("thywill_apps/", "how_to_apps/"), text)
    monkeypatch.syspath_prepend(str(tmp_path))
    packages = ["how_to_apps", "thywill_apps"]  # all of them, since URLs are made once
    settings.THYWILL = thywill(application={"packages": packages, "default": "tally"})
    yield
    for name in [each for each in sys.modules if each.startswith("how_to_apps")]:
        del sys.modules[name]
    importlib.invalidate_caches()


def json_blocks() -> list[Any]:
    """The values of the page's blocks of JSON."""
    blocks = re.findall(r"^```json\n(.*?)^```", text_of(PAGE), re.DOTALL | re.MULTILINE)
    return [json.loads(block) for block in blocks]


def test_it_counts_and_tells_the_others() -> None:
    """A vote is answered and told; a changed mind counts once, and who has gone not at all."""
    ann = User.objects.create_user("ann")
    with testing.open() as page:
        assert page.send({"hello": None}) == {"hello": "Hello stranger!"}
        with testing.open(user=ann) as other:
            assert other.send({"hello": None, "vote": "tea"}) == {
                "hello": "Hello ann!",
                "vote": {"tea": 1, "coffee": 0},
            }
            page.expect(None, {"votes": {"tea": 1, "coffee": 0}})
            assert page.call("vote", "coffee") == {"tea": 1, "coffee": 1}
            assert page.call("vote", "tea") == {"tea": 2, "coffee": 0}
            other.expect(None, {"votes": {"tea": 2, "coffee": 0}})
        page.expect(None, {"votes": {"tea": 1, "coffee": 0}})
        with pytest.raises(testing.Refused, match="unknown-command"):
            page.call("count", None)


def test_what_goes_wrong_reads_as_shown() -> None:
    """The page's object has the page's answer."""
    asked, answered = json_blocks()
    with testing.open() as page:
        assert page.send(asked) == answered


def test_its_settings_are_the_defaults() -> None:
    """All bounds are there, and accepted."""
    (block,) = re.findall(r"^```python\n(WHITEBOARD.*?)^```", text_of(PAGE), re.DOTALL | re.M)
    named: dict[str, Any] = {}
    exec(block, named)
    assert named["WHITEBOARD"] == asdict(Bounds())
