"""A site with the testbed application and push in memory, and pages of it."""

import pytest
from django.test import Client as Browser
from pytest_django import Settings

from tests.support.applications.testbed import thywill_interface as testbed
from tests.support.page import Page, thywill


@pytest.fixture(autouse=True)
def site(settings: Settings, db: None) -> Settings:
    """The site under test."""
    settings.THYWILL = thywill()
    testbed.calls.clear()
    return settings


@pytest.fixture
def browser() -> Browser:
    """A browser that has to show CSRF tokens, as real ones do."""
    return Browser(enforce_csrf_checks=True, raise_request_exception=False)


@pytest.fixture
def page(browser: Browser) -> Page:
    """One page of the testbed."""
    return Page(browser)
