"""The component's settings."""

from typing import Any

import pytest
from pytest_django import Settings

from tests.support.page import thywill
from thywill_server.client_interface.django_site import DjangoSite
from thywill_server.components import load, problems


@pytest.mark.parametrize("name", list(DjangoSite.SETTINGS))
def test_each_setting_has_a_sentence_and_a_sound_default(name: str) -> None:
    """The settings reference is made from the table: help is a sentence, the default is fine."""
    setting = DjangoSite.SETTINGS[name]
    assert setting.help.endswith(".")
    assert setting.problem(setting.default) is None


@pytest.mark.parametrize(
    "given",
    [
        {"max_message_bytes": 10},
        {"max_message_bytes": "64k"},
        {"max_message_depth": 0},
        {"max_remembered_clients": 0},
        {"repeat_wait_seconds": -1},
        {"max_mesage_bytes": 5000},
    ],
)
def test_wrong_setting_is_one_sentence(given: dict[str, Any]) -> None:
    """A wrong setting is named the way settings.py writes it."""
    ((id_, sentence),) = problems(thywill(client_interface=given))
    assert id_ == "thywill.E006"
    assert sentence.startswith(f'THYWILL["client_interface"]["{next(iter(given))}"]: ')


def test_bound_beyond_django(settings: Settings) -> None:
    """A message bound that Django would never let through is a mistake."""
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 50_000
    ((_, sentence),) = problems(thywill(client_interface={"max_message_bytes": 60_000}))
    assert "DATA_UPLOAD_MAX_MEMORY_SIZE, which is 50000; got 60000" in sentence
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = None
    assert problems(thywill(client_interface={"max_message_bytes": 60_000})) == []


def test_settings_reach_the_memory() -> None:
    """The bounds of the memory for repeated messages come from the settings."""
    site = load(thywill(client_interface={"max_remembered_clients": 1})).client_interface
    assert isinstance(site, DjangoSite)
    for client in ("a", "b"):
        site.replies.answer(client, "1", lambda: _answer())
    assert len(site.replies) == 1


def _answer() -> Any:
    from thywill_server.client_interface.django_site.recent_replies import Answer

    return Answer(200, b"{}")
