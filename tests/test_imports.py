"""Who may import whom: the table of the documentation, compared with every import in the code.

The table is read from ``documentation/explanation/architecture.md``, so the two cannot differ. The
first row that matches a module is the one that counts. The standard library is open to all; imports
inside functions count as well, those under ``if TYPE_CHECKING:`` do not, since they never happen.
"""

import ast
import fnmatch
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parent.parent
TABLE = ROOT / "documentation" / "explanation" / "architecture.md"
PACKAGES = ("stompservice", "morbid", "orbited", "thywill_server", "thywill_apps")


class Row(NamedTuple):
    """These modules, and what is inside them, may import each other and those."""

    modules: list[str]
    may_import: list[str]
    anything_but: list[str]


@cache
def table() -> list[Row]:
    """Read the table, with each word that stands for several names replaced by them."""
    text = TABLE.read_text(encoding="utf-8").partition("## Who may import whom")[2]
    words = {
        word: names_in(names)
        for word, names in re.findall(r"^- \*\*(.+?)\*\* (?:is|are) (.+)$", text, re.MULTILINE)
    }

    def names(cell: str) -> list[str]:
        unquoted = re.sub(r"`[^`]*`", "", cell)
        found = [name for word in words if word in unquoted for name in words[word]]
        return [*names_in(cell), *found]

    lines = text.partition("| modules |")[2].split("\n\n")[0].splitlines()[2:]
    rows = []
    for line in lines:
        modules, allowed = line.strip("|").split("|")
        may_import, _, anything_but = allowed.partition("anything but")
        rows.append(Row(names(modules), names(may_import), names(anything_but)))
    return rows


def names_in(text: str) -> list[str]:
    """What stands in backticks."""
    return re.findall(r"`([^`]+)`", text)


def module_name(path: Path) -> str:
    """``morbid/session.py`` is ``morbid.session``."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def modules() -> dict[str, Path]:
    """Every module of our packages, by name."""
    paths = (path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py")))
    return {module_name(path): path for path in paths}


def matches(module: str, patterns: list[str]) -> bool:
    """Whether a module is one of these, or inside one."""
    return any(
        fnmatch.fnmatchcase(module, pattern) or fnmatch.fnmatchcase(module, f"{pattern}.*")
        for pattern in patterns
    )


def row_for(module: str) -> Row | None:
    """The first row that matches, with the application's own name filled in."""
    own = module.split(".")[1] if module.startswith("thywill_apps.") else "NAME"
    for row in table():
        modules = [pattern.replace("NAME", own) for pattern in row.modules]
        if matches(module, modules):
            return row._replace(modules=modules)
    return None


def is_allowed(module: str, imported: str) -> bool:
    """Look one import up in the table; a module that no row speaks of may import nothing."""
    if imported.split(".")[0] in sys.stdlib_module_names:
        return True
    row = row_for(module)
    if row is None:
        return False
    if matches(imported, [*row.modules, *row.may_import]):
        return True
    return bool(row.anything_but) and not matches(imported, row.anything_but)


def runs(tree: ast.AST) -> Iterator[ast.AST]:
    """Every node, except what stands under ``if TYPE_CHECKING:``."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            for other in node.orelse:
                yield other
                yield from runs(other)
            continue
        yield node
        yield from runs(node)


def imports(module: str, path: Path, known: frozenset[str]) -> Iterator[tuple[int, str]]:
    """Line and full name of all that a module imports: modules, not the names inside them."""
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    for node in runs(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parents = package.split(".")[: len(package.split(".")) - node.level + 1]
                base = ".".join([*parents, base]).rstrip(".")
            for alias in node.names:
                inner = f"{base}.{alias.name}"
                yield node.lineno, inner if inner in known else base


def test_every_import_is_in_the_table() -> None:
    """No module imports what its row does not name."""
    known = modules()
    wrong = {
        f"{path.relative_to(ROOT)}:{line} imports {imported}": None
        for module, path in known.items()
        for line, imported in imports(module, path, frozenset(known))
        if not is_allowed(module, imported)
    }
    assert not wrong, "\n".join(["the table of imports does not allow:", *wrong])


@pytest.mark.parametrize(
    ("module", "imported", "allowed"),
    [
        ("stompservice.protocol.parser", "stompservice.protocol.frame", True),
        ("stompservice.protocol.parser", "twisted.internet.defer", False),
        ("stompservice.client", "twisted.internet.defer", True),
        ("morbid.session", "twisted.python.failure", False),
        ("morbid.session", "stompservice.client", False),
        ("morbid.server", "twisted.internet.protocol", True),
        ("morbid.server", "orbited.proxy", False),
        ("orbited.protocol.session", "websockets.server", False),
        ("orbited.start", "morbid", False),
        ("thywill_server.push.base", "django.conf", False),
        ("thywill_server.push.orbited_stomp.publisher", "stompservice.service", True),
        ("thywill_server.push.orbited_stomp.publisher", "morbid", False),
        ("thywill_server.client_interface.django_site.views", "django.http", True),
        ("thywill_server.client_interface.django_site.views", "twisted.web.server", False),
        ("thywill_server.site", "twisted.web.wsgi", True),
        ("thywill_apps.chat.rooms", "thywill_server.application.app", True),
        ("thywill_apps.chat.rooms", "thywill_server.push.base", False),
        ("thywill_apps.chat.rooms", "thywill_apps.chat.models", True),
        ("thywill_apps.chat.rooms", "thywill_apps.ratings", False),
        ("thywill_apps.chat.rooms", "numpy", True),
        ("thywill_apps.chat.rooms", "orbited", False),
    ],
)
def test_table_says_what_the_design_says(module: str, imported: str, *, allowed: bool) -> None:
    """The arrows that matter most are spelled out, so that a slip in the table shows."""
    assert is_allowed(module, imported) is allowed


QUIET = [
    "django.contrib.admin",
    "django.core.handlers.wsgi",
    "django.core.management",
    "django.db",
    "django.db.migrations",
    "django.http",
    "django.test.client",
    "django.urls",
    "django.views.generic",
    "httptools",
    "jwt",
    "twisted.application.service",
    "twisted.internet.defer",
    "twisted.internet.endpoints",
    "twisted.internet.protocol",
    "twisted.logger",
    "twisted.python.failure",
    "twisted.web.http",
    "twisted.web.wsgi",
    "websockets.server",
    "websockets.sync.client",
]
"""What takes long to import and changes nothing, which is looked at as well."""

# Runs in a process of its own and forks once for each module, so that every import starts clean.
PROBE = """
import gc, importlib, logging, os, signal, sys, threading, traceback

def state():
    return {
        "the reactor was installed": "twisted.internet.reactor" in sys.modules,
        "the root logger was changed": (list(logging.root.handlers), logging.root.level),
        "a thread was started": threading.active_count(),
        "sys.path was changed": list(sys.path),
        "a signal handler was set": [signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM)],
        "the working directory was changed": os.getcwd(),
        "the umask was changed": (lambda mask: (os.umask(mask), mask)[1])(os.umask(0o22)),
    }

def changes(names):
    before = state()
    for name in names:
        importlib.import_module(name)
    after = state()
    return [what for what in before if before[what] != after[what]]

def probe(name, is_last):
    try:
        problems = changes([name])
    except BaseException as error:
        if not is_last and type(error).__name__ in ("AppRegistryNotReady", "ImproperlyConfigured"):
            os._exit(NEEDS_DJANGO)
        problems = ["it cannot be imported: " + "".join(traceback.format_exception(error))]
    for problem in problems:
        print(f"{name}: {problem}", flush=True)
    os._exit(0)

def probe_each(names, is_last):
    left = []
    for name in names:
        child = os.fork()
        if not child:
            probe(name, is_last)
        if os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == NEEDS_DJANGO:
            left.append(name)
    return left

NEEDS_DJANGO = 3
quiet, names = sys.argv[1].split(","), sys.argv[2:]
for problem in changes(quiet):
    print(f"one of {quiet}: {problem}")
gc.disable()  # a child that looks through all of it copies all of it
left = probe_each(names, False)
if left:
    import django  # a model can only be imported once Django knows its applications
    django.setup()
    probe_each(left, True)
"""


@pytest.mark.functional
@pytest.mark.parametrize("package", PACKAGES)
def test_importing_has_no_side_effect(package: str) -> None:
    """Importing a module installs no reactor, sets up no logging, starts and changes nothing."""
    names = [name for name in modules() if name.split(".")[0] == package]
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "settings", "PYTHONPATH": str(ROOT)}
    arguments = [sys.executable, "-c", PROBE, ",".join(QUIET), *names]
    run = subprocess.run(
        arguments, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=110
    )
    assert (run.stdout, run.stderr, run.returncode) == ("", "", 0)


@pytest.mark.parametrize(
    ("core", "foreign"),
    [
        ("stompservice.protocol", "twisted"),
        ("morbid.messagequeue", "twisted"),
        ("morbid.session", "twisted"),
        ("orbited.protocol", "twisted"),
        ("thywill_server.component", "django"),
        ("thywill_server.component", "twisted"),
        ("thywill_server.components", "django"),
        ("thywill_server.components", "twisted"),
        ("thywill_server.push.base", "django"),
    ],
)
def test_core_loads_without(core: str, foreign: str) -> None:
    """A core or contract can be used where the foreign library is not even installed."""
    program = f"import sys; sys.modules[{foreign!r}] = None; import {core}"
    run = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    assert (run.stderr, run.returncode) == ("", 0)
