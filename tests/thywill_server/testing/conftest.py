"""Sites for virtual browsers: the applications of the tests, over Orbited and in memory."""

from typing import Any

import pytest
from pytest_django import Settings

from tests.support.page import thywill

APPLICATIONS = [f"tests.support.applications.{name}" for name in ("testbed", "rooms", "guests")] + [
    "thywill_apps"
]
APPLICATION = {"packages": APPLICATIONS, "default": "testbed"}
ORBITED = {"component": "thywill_server.push.orbited_stomp.OrbitedStomp"}


def over_orbited(**settings: Any) -> dict[str, Any]:
    """THYWILL with push over Orbited."""
    return thywill(application=APPLICATION, push={**ORBITED, **settings})


def in_memory() -> dict[str, Any]:
    """THYWILL with push in memory."""
    return thywill(application=APPLICATION)


@pytest.fixture
def orbited(settings: Settings, db: None) -> Settings:
    """A site that pushes over Orbited."""
    settings.THYWILL = over_orbited()
    return settings


@pytest.fixture(params=["orbited", "memory"])
def site(request: pytest.FixtureRequest, settings: Settings, db: None) -> Settings:
    """Each of both sites."""
    settings.THYWILL = over_orbited() if request.param == "orbited" else in_memory()
    return settings
