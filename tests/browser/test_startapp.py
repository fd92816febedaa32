"""What ``thywill startapp`` writes, in a browser."""

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.support.documentation import make_checkout, manage, site

pytestmark = [pytest.mark.browser, pytest.mark.functional]


def test_two_pages_of_a_new_application_hear_each_other(tmp_path: Path, page: Page) -> None:
    """What one page says both show, as text; and a page that comes later shows it too."""
    checkout = make_checkout(tmp_path)
    assert manage(checkout, "thywill", "startapp", "dice").returncode == 0
    with site(checkout) as address:
        other = page.context.new_page()
        for each in (page, other):
            each.goto(f"{address}dice/")
            expect(each.locator("#state")).to_have_text("live")
        page.get_by_label("Say something").fill("<b>hello</b>")
        page.get_by_role("button", name="Say it").click()
        for each in (page, other):
            expect(each.locator("#said li")).to_have_text(["<b>hello</b>"])
        other.reload()
        expect(other.locator("#said li")).to_have_text(["<b>hello</b>"])
