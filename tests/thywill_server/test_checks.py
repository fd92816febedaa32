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
from thywill_server.deployment_checks import check_deployment

DJANGO_SITE = "thywill_server.client_interface.django_site.DjangoSite"


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
        for id_ in re.findall(r"\"(thywill\.[EW]\d+)\"", path.read_text())
    }
    documented = set(re.findall(r"^(thywill\.[EW]\d+) ", checks.__doc__ or "", re.MULTILINE))
    assert used == documented


def deploy_warnings(thywill: dict[str, Any], **more: Any) -> list[str]:
    """The ids that ``manage.py check --deploy`` warns with."""
    with override_settings(THYWILL=thywill, **more):
        return [message.id or "" for message in check_deployment(None)]


@pytest.fixture
def deployed(thywill: dict[str, Any], tmp_path: Path) -> dict[str, Any]:
    """A ``THYWILL`` that can be deployed."""
    push = "thywill_server.push.orbited_stomp.OrbitedStomp"
    thywill["push"] = {"component": push, "ticket_key_file": tmp_path / "ticket.key"}
    thywill["client_interface"] = {"component": DJANGO_SITE}
    thywill["log"] = {"component": "thywill_server.log.console.Console"}
    return thywill


def test_a_site_that_can_be_deployed(deployed: dict[str, Any], tmp_path: Path) -> None:
    """Nothing is said about settings that are right, with and without a key."""
    assert deploy_warnings(deployed) == []
    (tmp_path / "ticket.key").write_text("k" * 40)
    (tmp_path / "ticket.key").chmod(0o600)
    assert deploy_warnings(deployed) == []


@pytest.mark.parametrize(
    ("section", "changed", "id_"),
    [
        ("push", {"comet_options": {"system": {"allow": ["*"]}}}, "thywill.W002"),
        ("push", {"comet_options": {"access": {"*": ["a:1"]}}}, "thywill.W002"),
        ("push", {"orbited_url": "http://push.example.org/"}, "thywill.W003"),
        ("client_interface", {"health_details": True}, "thywill.W004"),
        ("client_interface", {"replies_cache": "default"}, "thywill.W005"),
        ("log", {"level": "DEBUG"}, "thywill.W006"),
    ],
)
def test_what_is_risky(
    deployed: dict[str, Any], section: str, changed: dict[str, Any], id_: str
) -> None:
    """Each thing that is fine on one's own machine only has its warning."""
    deployed[section].update(changed)
    assert deploy_warnings(deployed, SESSION_COOKIE_SECURE=True) == [id_]


def test_a_key_that_others_can_read(
    deployed: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A key in a file is for its owner; one in the environment has no file."""
    (tmp_path / "ticket.key").write_text("k" * 40)
    (tmp_path / "ticket.key").chmod(0o644)
    assert deploy_warnings(deployed) == ["thywill.W001"]
    monkeypatch.setenv("THYWILL_TICKET_KEY", "k" * 40)
    assert deploy_warnings(deployed) == []


def test_a_wrong_site_has_errors_only(deployed: dict[str, Any]) -> None:
    """While something is wrong, nothing is said about deployment."""
    deployed["push"] = {"component": "nowhere.Nothing"}
    deployed["log"]["level"] = "DEBUG"
    assert deploy_warnings(deployed) == []
