"""The modules that a page names: found as a browser would find them, and no others."""

import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from django.contrib.staticfiles.storage import ManifestStaticFilesStorage
from django.core.management import call_command
from django.templatetags.static import static
from django.test import Client as Browser
from pytest_django import Settings

from tests.support.page import Page
from thywill_server.client_interface.django_site.modules import Modules, imports_of, static_file

Write = Callable[[str, str], Path]

SOURCE = """
/**
 * import { not } from "./comment.js";
 */
import "./bare.js";
import one from './single.js';
import { two, three as drei } from "./named.js"; // import "./comment_too.js";
import * as all from "./all.js";
import four, {
  five,
} from "./lines.js";
export { six } from "./again.js";
export * from "./star.js";
export * as seven from "/static/absolute.js";
import data from "./data.json" with { type: "json" };
import named from "name-of-a-map";
const address = "https://example.org/*"; const quote = /["']/;
export const later = () => import("./later.js");
const text = "from './text.js'"; export const from = "./constant.js";
/** @type {import("./type.js").Type} */ const here = import.meta.url;
export { text, here };
"""
"""Every form of an import, and what looks like one."""

FOUND = [
    "./bare.js",
    "./single.js",
    "./named.js",
    "./all.js",
    "./lines.js",
    "./again.js",
    "./star.js",
    "/static/absolute.js",
    "name-of-a-map",
]


class Rewriting(ManifestStaticFilesStorage):
    """One that puts hashes into imports, too."""

    support_js_module_import_aggregation = True


def name_of(cls: type) -> str:
    """Where a class is, as settings say it."""
    return f"{cls.__module__}.{cls.__qualname__}"


@pytest.fixture
def write(tmp_path: Path, settings: Settings) -> Write:
    """Write a static file of a site that has no others."""
    folder = tmp_path / "static"
    folder.mkdir()
    settings.STATICFILES_DIRS = [folder]
    settings.STATICFILES_FINDERS = ["django.contrib.staticfiles.finders.FileSystemFinder"]
    settings.STATIC_ROOT = tmp_path / "collected"

    def write(name: str, source: str) -> Path:
        path = folder / name
        path.parent.mkdir(exist_ok=True, parents=True)
        path.write_text(source)
        return path

    return write


def test_imports_of_a_module() -> None:
    """Every form of a static import is found, in its order."""
    assert imports_of(SOURCE) == FOUND


def test_imports_of_a_packed_module() -> None:
    """Without a space or a line that could be left out they are the same."""
    packed = (
        'import"./a.js";import b from"./b.js";import{c}from"./c.js";import*as d from"./d.js";'
        'import e,{f}from"./f.js";export{g}from"./g.js";export*from"./h.js";'
        'const important="./no.js",x=o.import("./no.js");import("./no.js")'
    )
    assert imports_of(packed) == [f"./{name}.js" for name in "abcdfgh"]


def test_what_is_imported_is_followed(write: Write, settings: Settings) -> None:
    """Nearest first and each once; not the scripts themselves, and nothing that is not there."""
    settings.DEBUG = True
    write("app/one.js", 'import "./two.js"; import "../lib/three.js"; import "./gone.js";')
    write("app/two.js", 'import "./one.js"; import "../lib/four.js";')
    write("lib/three.js", 'import "./four.js"; import "https://elsewhere.example/five.js";')
    write("lib/four.js", 'import "../../../outside.js"; import "./three.js?version=2";')
    assert Modules(static_file).imported_by(["/static/app/one.js"], may_change=True) == [
        "/static/app/two.js",
        "/static/lib/three.js",
        "/static/lib/four.js",
        "/static/lib/three.js?version=2",
    ]
    both = ["/static/app/one.js", "/static/lib/three.js"]
    found = Modules(static_file).imported_by(both, may_change=True)
    assert found[:2] == ["/static/app/two.js", "/static/lib/four.js"]


def test_an_edit_is_seen(write: Write, settings: Settings) -> None:
    """Under DEBUG a page is right after an edit, even one that keeps the size."""
    settings.DEBUG = True
    modules = Modules(static_file)
    path = write("app.js", 'import "./a.js";')
    for name in "ab":
        write(f"{name}.js", "")
    assert modules.imported_by(["/static/app.js"], may_change=True) == ["/static/a.js"]
    path.write_text('import "./b.js";')
    os.utime(path, ns=(1, 1))
    assert modules.imported_by(["/static/app.js"], may_change=True) == ["/static/b.js"]
    path.unlink()
    assert modules.imported_by(["/static/app.js"], may_change=True) == []


@pytest.mark.parametrize("rewrites_imports", [False, True])
def test_names_with_hashes(rewrites_imports: bool, write: Write, settings: Settings) -> None:
    """Addresses are those that the browser will ask for, whether imports have hashes or not."""
    write("app.js", 'import { a } from "./lib/a.js";\n')
    write("lib/a.js", 'export { b as a } from "./b.js";\n')
    write("lib/b.js", "export const b = 1;\n")
    storage = Rewriting if rewrites_imports else ManifestStaticFilesStorage
    settings.STORAGES = {**settings.STORAGES, "staticfiles": {"BACKEND": name_of(storage)}}
    settings.DEBUG = False
    call_command("collectstatic", "--no-input", verbosity=0)
    found = Modules(static_file).imported_by([static("app.js")], may_change=False)
    if rewrites_imports:
        assert found == [static("lib/a.js"), static("lib/b.js")]
        assert all(re.search(r"\.[0-9a-f]{12}\.js$", url) for url in found)
    else:
        assert found == ["/static/lib/a.js", "/static/lib/b.js"]


def test_what_cannot_be_read(write: Write, settings: Settings) -> None:
    """No file, no text, no STATIC_ROOT, a storage elsewhere: nothing is named, nothing raises."""
    path = write("app.js", 'import "./a.js";')
    path.write_bytes(b"\xff\xfe")
    scripts = ["/static/app.js", "/static/none.js", "/static/", "/other/a.js", "/static/%00.js"]
    for debug in (True, False):
        settings.DEBUG = debug
        assert Modules(static_file).imported_by(scripts, may_change=True) == []
    settings.STATIC_ROOT = None
    assert Modules(static_file).imported_by(scripts, may_change=True) == []
    elsewhere = {"BACKEND": "django.core.files.storage.InMemoryStorage"}
    settings.STORAGES = {**settings.STORAGES, "staticfiles": elsewhere}
    assert Modules(static_file).imported_by(scripts, may_change=True) == []


def test_pages_name_their_modules(browser: Browser, settings: Settings) -> None:
    """They stand before the scripts; a page whose files are not collected has none."""
    assert "modulepreload" not in Page(browser).html
    settings.DEBUG = True
    html = Page(browser).html
    named = re.findall(r'<link rel="modulepreload" href="([^"]+)">', html)
    assert {"/static/thywill/emitter.js", "/static/thywill/push/register.js"} < set(named)
    assert html.index(named[-1]) < html.index('<script type="module"')
