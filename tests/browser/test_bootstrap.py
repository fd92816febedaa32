"""The bootstrap in a real browser: what happens when a part of it is missing, or another one."""

import re
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urljoin

import pytest
from playwright.sync_api import Page, expect

from tests.support.site_process import SiteProcess, write_settings

pytestmark = [pytest.mark.browser, pytest.mark.functional]

READY = """async (seconds) => {
    thywill.application.readySeconds = seconds;
    try {
        await thywill.application.ready();
        return null;
    } catch ({ code, component, message }) {
        return { code, component, message };
    }
}"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SiteProcess]:
    """A site with the testbed, whose page leaves everything to the tests."""
    settings = {"DJANGO_SETTINGS_MODULE": "tests.support.site_settings"}
    with SiteProcess(tmp_path_factory.mktemp("site"), "--no-reload", **settings) as process:
        yield process


def test_application_script_is_missing(page: Page, site: SiteProcess) -> None:
    """A script of the application that cannot be loaded is the application's failure."""
    page.route("**/testbed/testbed.js", lambda route: route.fulfill(status=404))
    page.goto(f"{site.url}/thywill/init/testbed/")
    failure = page.evaluate(READY, 30)
    assert failure["code"] == "bootstrap-failed"
    assert failure["component"] == "application"
    assert "cannot load" in failure["message"]
    assert "testbed.js" in failure["message"]


def test_push_script_is_missing(page: Page, site: SiteProcess) -> None:
    """Without the push component's script the page cannot start, and says which it is."""
    page.route("**/push/orbited_stomp.js", lambda route: route.abort())
    page.goto(f"{site.url}/thywill/init/testbed/")
    failure = page.evaluate(READY, 30)
    assert failure["component"] == "push"
    assert "orbited_stomp.js" in failure["message"]


def test_orbited_does_not_answer(page: Page, site: SiteProcess) -> None:
    """Ready gives up after its limit, naming push; when Orbited answers, the page starts."""
    page.route("**/orbited/**", lambda route: route.abort())
    page.goto(f"{site.url}/thywill/init/testbed/")
    page.evaluate("() => { thywill.application.fn = () => { document.title = 'started'; }; }")
    failure = page.evaluate(READY, 0.5)
    assert failure["component"] == "push"
    assert "not ready after 0.5 s" in failure["message"]
    page.unroute("**/orbited/**")
    expect(page).to_have_title("started")
    assert page.evaluate("thywill.state") == "live"
    assert page.evaluate(READY, 30) is None


def test_a_part_of_orbited_does_not_come(page: Page, site: SiteProcess) -> None:
    """A module deep below that fails once, as in a restart, is had by the next try."""
    page.route("**/static/comet/link.js", lambda route: route.abort())
    page.goto(f"{site.url}/thywill/init/testbed/")
    assert page.evaluate(READY, 30) is None


APPLICATIONS = ["proof_of_concept", "chat", "commands", "ratings", "floe"]


def test_pages_name_all_modules_and_no_others(page: Page, site: SiteProcess) -> None:
    """What a page runs stands in it, so that no import is found late and nothing comes in vain."""
    for application in APPLICATIONS:
        page.goto(f"{site.url}/thywill/init/{application}/")
        assert page.evaluate(READY, 30) is None
        named = page.locator('link[rel="modulepreload"], script[type="module"]').evaluate_all(
            "elements => elements.map((element) => element.href ?? element.src)"
        )
        loaded = page.evaluate(
            "performance.getEntriesByType('resource').map(({ name }) => name)"
            ".filter((name) => name.endsWith('.js'))"
        )
        assert sorted(loaded) == sorted(named)
        assert imported_by(page, loaded) <= set(named)


def test_pages_that_have_ended_say_how_to_go_on(page: Page, site: SiteProcess) -> None:
    """Each application tells the end in the same words, beside why, and loads itself again."""
    for application in APPLICATIONS:
        page.goto(f"{site.url}/thywill/init/{application}/")
        assert page.evaluate(READY, 30) is None
        uuid = page.evaluate("thywill.config.uuid")
        page.evaluate("thywill.close()")
        told = page.get_by_role("alert")
        expect(told).to_have_text("The connection has ended. Load the page again")
        told.get_by_role("link", name="Load the page again").click()
        page.wait_for_function(
            "uuid => ![uuid, undefined].includes(globalThis.thywill?.config?.uuid)", arg=uuid
        )
        assert page.evaluate(READY, 30) is None
        expect(told).to_have_count(0)


def imported_by(page: Page, addresses: list[str]) -> set[str]:
    """Ask for modules again, and look at what they import."""
    imports = re.compile(r"""^(?:import|export|\}) .*?from "([^"]+)";""", re.MULTILINE)
    return {
        urljoin(address, name)
        for address in addresses
        for name in imports.findall(page.request.get(address).text())
    }


def test_hostile_title(page: Page, site: SiteProcess) -> None:
    """A parameter with markup in it reaches the page as data and runs nothing."""
    dialogs: list[str] = []
    page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    page.goto(f"{site.url}/thywill/init/testbed/")
    assert page.evaluate(READY, 30) is None
    title = page.evaluate("thywill.config.application_parameters.title")
    assert title == "</script><script>alert(1)</script> & \u2028 <!--"
    assert dialogs == []


def test_other_components(page: Page, tmp_path: Path) -> None:
    """With push in memory and the log in a file, by settings alone, the echo works the same."""
    settings = write_settings(
        tmp_path,
        f"""
THYWILL["push"] = {{"component": "thywill_server.push.in_memory.InMemory"}}
THYWILL["log"] = {{
    "component": "thywill_server.log.logfile.Logfile",
    "path": {str(tmp_path / "site.log")!r},
}}
from thywill_server.components import logging_config
LOGGING = logging_config(THYWILL)
""",
    )
    with SiteProcess(tmp_path, "--no-reload", **settings) as site:
        page.goto(f"{site.url}/thywill/init/")
        expect(page.locator("#state")).to_have_attribute("data-state", "live")
        for number in range(1, 4):
            page.get_by_label("Message", exact=True).fill(f"héllo {number}")
            page.keyboard.press("Enter")
        expect(page.locator("#count")).to_have_text("3 of 3")
        rows = page.locator("#trips .trip[data-status=returned] .back")
        assert rows.all_text_contents() == ["héllo 3", "héllo 2", "héllo 1"]
        expect(page.locator("#transport")).to_have_text("long polling")
        expect(page.locator("#route .stop")).to_have_count(4)
        wait_for_text(tmp_path / "site.log", "POST /thywill/send/ 200")


def wait_for_text(path: Path, text: str) -> None:
    """Wait until a file has it: a line of the log comes behind the answer."""
    end = time.monotonic() + 60
    while text not in path.read_text():
        assert time.monotonic() < end, path.read_text()
        time.sleep(0.02)
