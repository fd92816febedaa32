"""Virtual browsers, for the tests of applications.

A whole test::

    from django.test import TestCase
    from thywill_server import testing

    class DiceTest(TestCase):
        def test_a_die_is_rolled(self):
            with testing.open("dice") as page:
                page.call("roll")
                self.assertIn(page.expect("rolled").data, range(1, 7))

`open` loads the page of an application and connects it over the real wire: Django's views, MorbidQ,
Orbited. ``documentation/reference/testing.md`` has all that a page can do.
"""

from thywill_server.testing.browser import VirtualBrowser
from thywill_server.testing.browser import open_browser as open
from thywill_server.testing.channel import VirtualChannel
from thywill_server.testing.errors import NothingCame, Refused, TestingError
from thywill_server.testing.inbox import ANYTHING, Pushed

__all__ = [
    "ANYTHING",
    "NothingCame",
    "Pushed",
    "Refused",
    "TestingError",
    "VirtualBrowser",
    "VirtualChannel",
    "open",
]
