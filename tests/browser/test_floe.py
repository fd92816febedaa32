"""The game in Chromium: two browsers on one floe, by keyboard, mouse, finger, and a bad network."""

from __future__ import annotations

import math
import re
import runpy
from collections.abc import Iterator
from dataclasses import asdict
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.support import documentation
from tests.support.documentation import files, make_checkout, text_of, write
from thywill_apps.floe.bounds import Bounds
from thywill_apps.floe.rules import Rules

pytestmark = [pytest.mark.browser, pytest.mark.functional]

PAGE = "documentation/how-to/make-a-game.md"
SECONDS = 60

# What a page was told last of each player, by name: x, y, speed in x and y, and what it is. It
# listens to the same ticks as the page does.
LISTEN = """() => {
    globalThis.told = {};
    globalThis.ticks = [];
    globalThis.fastest = 0;
    globalThis.leftmost = {}; // speeds, which may be short-lived
    const names = {};
    thywill.channel("floe").on("tick", (frame) => {
        ticks.push(frame.t);
        for (const [id, name] of frame.w ?? []) names[id] = name;
        for (const [id, ...row] of frame.b ?? []) {
            told[names[id]] = row;
            fastest = Math.max(fastest, Math.hypot(row[2], row[3]));
            leftmost[names[id]] = Math.min(leftmost[names[id]] ?? 0, row[2]);
        }
    });
}"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A site with the game, and with the pond of the how-to; gives where its applications are."""
    checkout = make_checkout(tmp_path_factory.mktemp("site"))
    for path, text in files(PAGE):
        write(checkout, path, text)
    write(checkout, "thywill_apps/pond/__init__.py", "")
    with documentation.site(checkout) as address:
        yield address


@pytest.fixture(scope="module")
def complaints() -> Iterator[list[str]]:
    """What pages write to their consoles, and errors that nobody has caught: nothing."""
    found: list[str] = []
    yield found
    assert not found


@pytest.fixture(scope="module")
def two(site: str, chromium: Browser, complaints: list[str]) -> Iterator[tuple[Page, Page]]:
    """Ann and Ben, on one floe. Their pages are small: nobody sees the pictures here."""
    small: Any = {"viewport": {"width": 900, "height": 420}}
    with (
        chromium.new_context(**small) as one,
        chromium.new_context(**small, reduced_motion="reduce") as other,
    ):
        yield enter(one, site, "ann", complaints), enter(other, site, "ben", complaints)


def enter(context: BrowserContext, url: str, name: str, complaints: list[str]) -> Page:
    """Open the game, and play under a name."""

    def note(text: str) -> None:
        if "ERR_INTERNET_DISCONNECTED" not in text:  # a browser that is offline says so by itself
            complaints.append(text)

    context.on("weberror", lambda error: note(str(error.error)))
    context.on("console", lambda message: note(message.text))
    page = context.new_page()
    page.goto(f"{url}floe/")
    expect(page.locator("#state-text")).to_have_text("connected", timeout=SECONDS * 1000)
    expect(page.locator("#players [aria-current]")).to_contain_text("(you)")
    page.evaluate(LISTEN)
    page.get_by_label("Your name").fill(name)
    page.keyboard.press("Enter")
    expect(page.locator("#players [aria-current]")).to_contain_text(f"{name} (you)")
    return page


def wait(page: Page, condition: str, argument: Any = None) -> Any:
    """Wait until something is so in a page, and give it."""
    return page.wait_for_function(condition, arg=argument, timeout=SECONDS * 1000).json_value()


def row_of(page: Page, name: str) -> list[int]:
    """What a page was told of a player."""
    found: list[int] = wait(page, "(name) => told[name]", name)
    return found


MOVED = "([name, x]) => told[name][0] > x + 30"


# Whether one duck is at the left end of the pond and one at the right, as it is painted.
ARE_APART = """() => {
    const { data } = document.querySelector("canvas").getContext("2d")
        .getImageData(0, 0, 400, 400);
    const columns = new Set();
    for (let at = 3; at < data.length; at += 4) if (data[at] > 0) columns.add(((at - 3) / 4) % 400);
    return columns.has(0) && columns.has(399) && columns.size < 20;
}"""


def test_the_pond_of_the_how_to(site: str, chromium: Browser) -> None:
    """A duck that is steered in one window swims in both, as far as the pond goes."""
    with chromium.new_page() as one, chromium.new_page() as other:
        for page, key in ((one, "ArrowRight"), (other, "ArrowLeft")):
            page.goto(f"{site}pond/")
            page.keyboard.down(key)
        for page in (one, other):
            page.wait_for_function(ARE_APART, polling=200, timeout=SECONDS * 1000)


def test_the_how_to_s_own_test_and_bounds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The test that it shows passes, and the settings that it lists are the defaults."""
    for path, text in files(PAGE):
        write(
            tmp_path, path.replace("thywill_apps/pond/", "pond/"), text.replace("thywill_apps.", "")
        )
    monkeypatch.syspath_prepend(tmp_path)
    runpy.run_path(str(tmp_path / "pond/test_world.py"))["test_nobody_is_faster_than_others"]()
    named: dict[str, Any] = {}
    (block,) = re.findall(r"^```python\n(FLOE = .*?)^```", text_of(PAGE), re.DOTALL | re.MULTILINE)
    exec(block, named)
    assert named["FLOE"] == asdict(Bounds())


def test_a_phone_and_a_reload(site: str, chromium: Browser, complaints: list[str]) -> None:
    """A finger drags, another one dashes; nothing is too wide; a reload keeps the player."""
    phone: dict[str, Any] = {"viewport": {"width": 390, "height": 844}, "has_touch": True}
    with chromium.new_context(**phone, is_mobile=True) as context:
        page = enter(context, site, "eve", complaints)
        assert page.evaluate("document.documentElement.scrollWidth") == 390
        expect(page.get_by_role("button", name="Dash")).to_be_in_viewport()
        # As an application it gets the arrow keys of those who listen to the page, too.
        floe = page.get_by_role("application", name="The floe, seen from above")
        expect(floe).to_have_accessible_description(re.compile("slide.*dash.*hear where you are"))
        x = row_of(page, "eve")[0]
        touch = context.new_cdp_session(page)
        for kind, where in (("touchStart", 150), ("touchMove", 250)):
            points = [{"x": where, "y": 500, "id": 0}]
            touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
        wait(page, MOVED, ["eve", x])
        box = page.get_by_role("button", name="Dash").bounding_box()
        assert box is not None
        points.append({"x": box["x"] + 30, "y": box["y"] + 30, "id": 1})
        touch.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": points})
        # Without a dash nobody is that fast.
        wait(page, "(limit) => fastest > limit", Rules().push / Rules().drag)
        touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
        wait(page, "() => Math.abs(told.eve[2]) < 20")
        page.reload()
        expect(page.locator("#players [aria-current]")).to_contain_text("eve (you)")
        expect(page.locator("#players li", has_text="eve")).to_have_count(1)


def test_two_browsers(two: tuple[Page, Page]) -> None:
    """What one does by keyboard and mouse, the other sees; a pause too, and where everybody is."""
    ann, ben = two
    expect(ben.locator("#players")).to_contain_text("ann")
    expect(ann.locator("#players")).to_contain_text("ben")

    x = row_of(ben, "ann")[0]
    ann.keyboard.down("ArrowRight")
    wait(ben, MOVED, ["ann", x])
    ann.keyboard.up("ArrowRight")

    box = ann.locator("#ice").bounding_box()
    assert box is not None
    ben.evaluate("leftmost = {}")
    ann.mouse.move(box["x"] + 5, box["y"] + box["height"] / 2)
    wait(ben, "() => leftmost.ann < -150")
    ann.mouse.move(box["x"] + box["width"] + 20, 5)  # off the ice: it asks for nothing more

    ann.keyboard.press("p")
    expect(ann.get_by_role("button", name="Go on")).to_be_visible()
    expect(ben.locator("#players li", has_text="ann")).to_contain_text("asleep")
    ann.get_by_role("button", name="Go on").click()
    expect(ben.locator("#players li", has_text="ann")).not_to_contain_text("asleep")

    ben.keyboard.press("i")
    expect(ben.locator("#news")).to_contain_text(re.compile(r"^You are .*ann is"))


# Where a page paints the name of a player, which is below it: the moment in seconds, x and y.
WATCH = """(name) => {
    globalThis.shown = [];
    const paint = CanvasRenderingContext2D.prototype.fillText;
    CanvasRenderingContext2D.prototype.fillText = function (text, x, y) {
        if (text.startsWith(name)) shown.push([performance.now() / 1000, x, y]);
        return paint.call(this, text, x, y);
    };
}"""


def test_a_network_that_stutters(two: tuple[Page, Page]) -> None:
    """The others play on; who was away is thrown nowhere, sees what is new, and plays on."""
    ann, ben = two
    ben.evaluate(WATCH, "ben")
    # Past the middle of the floe, and back: there is room for as long as it takes.
    x, y = row_of(ann, "ben")[:2]
    there, back = ("ad" if x > 0 else "da") if abs(x) > abs(y) else ("ws" if y > 0 else "sw")
    ben.keyboard.down(there)
    wait(ann, "() => Math.hypot(told.ben[2], told.ben[3]) > 200")
    ben.context.set_offline(True)
    ben.evaluate("() => thywill.push.stomp.reset()")  # a real cut ends what is open
    first = wait(ann, "() => ticks.at(-1)")
    expect(ben.locator("#ice")).to_have_attribute("data-stutters", "true")
    newest = wait(ann, "(first) => ticks.at(-1) >= first + 30 && ticks.at(-1)", first)
    ben.context.set_offline(False)
    wait(ben, "(newest) => ticks.at(-1) >= newest", newest)
    expect(ben.locator("#ice")).to_have_attribute("data-stutters", "false")
    ben.keyboard.up(there)
    heard = ben.evaluate("ticks")
    assert heard == sorted(set(heard))
    wait(ann, "() => !(told.ben[4] & 1)")
    ben.keyboard.down(back)
    axis, sign = ("ad" + "ws").index(back) // 2, 1 if back in "ds" else -1
    wait(ann, "([axis, sign]) => sign * told.ben[2 + axis] > 200", [axis, sign])
    ben.keyboard.up(back)
    # As fast as a puck may be, and a little for the correction; a puck that was put to where it
    # was before the cut, or would be without it, jumps by several hundreds.
    pictures = ben.evaluate("shown")
    for (before, x, y), (now, next_x, next_y) in pairwise(pictures):
        jump = math.hypot(next_x - x, next_y - y)
        assert jump <= Rules().max_speed * (now - before) + 120, (before, x, y, now, next_x, next_y)
