"""System checks: what ``manage.py check`` says about ``THYWILL``."""

import copy
import re
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import SystemCheckError
from django.test import override_settings

from tests.support.recording import RECORDING
from thywill_server import checks


@pytest.fixture
def thywill(write_application: Callable[..., str]) -> dict[str, Any]:
    """A right ``THYWILL``."""
    settings = copy.deepcopy(RECORDING)
    source = "def message_from_client(uuid, raw_message): pass"
    settings["application"]["packages"] = [write_application("echo", source)]
    return settings


def check(thywill: Any) -> str:
    """What ``manage.py check --tag thywill`` prints, or fails with."""
    out = StringIO()
    with override_settings(THYWILL=thywill):
        try:
            call_command("check", "--tag", "thywill", stdout=out, stderr=out, no_color=True)
        except SystemCheckError as error:
            return str(error)
    return out.getvalue()


def test_a_right_site_checks_clean(thywill: dict[str, Any]) -> None:
    """Nothing to say about settings that are right."""
    assert check(thywill) == "System check identified no issues (0 silenced).\n"


def test_a_mistyped_path_is_one_clear_sentence(thywill: dict[str, Any]) -> None:
    """The sentence has the setting, the path and Python's reason."""
    thywill["push"] = {"component": "thywill_server.push.orbitd.OrbitedStomp"}
    assert (
        '?: (thywill.E004) THYWILL["push"]["component"]: cannot import '
        "\"thywill_server.push.orbitd\" (No module named 'thywill_server.push.orbitd')\n"
    ) in check(thywill)


def test_no_thywill_at_all_is_said() -> None:
    """A site that forgot the setting hears what is missing."""
    assert "(thywill.E001) THYWILL: expected a mapping" in check(None)


def test_every_id_is_documented() -> None:
    """The table of ids at the top of the module has each id that is used, and no other."""
    package = Path(checks.__file__).parent
    used = {
        id_
        for path in package.rglob("*.py")
        for id_ in re.findall(r"\"(thywill\.E\d+)\"", path.read_text())
    }
    documented = set(re.findall(r"^(thywill\.E\d+) ", checks.__doc__ or "", re.MULTILINE))
    assert used == documented
