"""Who may import whom, compared with every import in the code.

The table below is the one of ``documentation/explanation/architecture.md``. The first row that
matches a module is the one that counts. The standard library is open to all; imports inside
functions count as well, those under ``if TYPE_CHECKING:`` do not, since they never happen.
"""

import ast
import fnmatch
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = ("stompservice", "morbid", "orbited", "thywill_server", "thywill_apps")

TWISTED = "twisted zope.interface"
CONTRACTS = (
    "thywill_server.component thywill_server.components thywill_server.settings_table"
    " thywill_server.client thywill_server.client_configuration thywill_server.encoding"
    " thywill_server.errors thywill_server.application.packages thywill_server.*.base"
)
SERVING = "thywill_server.site thywill_server.service thywill_server.reactor_bridge"


class Rule(NamedTuple):
    """One row: these modules (and what is inside them) may import those, and nothing else."""

    modules: str
    may_import: str


RULES = (
    # STOMP on the wire, and its client
    Rule("stompservice.errors", ""),
    Rule("stompservice.protocol", "stompservice.protocol stompservice.errors"),
    Rule("stompservice", f"stompservice {TWISTED}"),
    # the broker: its cores know frames and nothing else
    Rule("morbid.errors", "stompservice.protocol"),
    Rule(
        "morbid.messagequeue morbid.subscriptions morbid.transactions morbid.session morbid.limits",
        "stompservice.protocol morbid.errors morbid.messagequeue morbid.subscriptions"
        " morbid.transactions morbid.session morbid.limits",
    ),
    Rule("morbid", f"stompservice.protocol stompservice.errors morbid {TWISTED}"),
    # the bridge: morbid and thywill reach it by dotted path only
    Rule("orbited.errors", ""),
    Rule("orbited.protocol", "orbited.protocol orbited.errors"),
    Rule("orbited", f"orbited websockets {TWISTED}"),
    # the framework: contracts first, they are what a new component imports
    Rule(CONTRACTS, CONTRACTS),
    Rule(
        "thywill_server.database.models thywill_server.database.history"
        " thywill_server.database.migrations thywill_server.migrations",
        f"{CONTRACTS} thywill_server.database django",
    ),
    Rule("thywill_server.log", f"{CONTRACTS} thywill_server.log"),
    Rule("thywill_server.database", f"{CONTRACTS} thywill_server.database"),
    Rule("thywill_server.push.in_memory", CONTRACTS),
    Rule(
        "thywill_server.push.orbited_stomp",
        f"{CONTRACTS} thywill_server.push.orbited_stomp stompservice"
        " thywill_server.reactor_bridge jwt",
    ),
    Rule("thywill_server.push", CONTRACTS),
    Rule(
        "thywill_server.client_interface thywill_server.application"
        " thywill_server.apps thywill_server.checks",
        f"{CONTRACTS} thywill_server.client_interface thywill_server.application"
        " thywill_server.apps thywill_server.checks django asgiref",
    ),
    Rule(
        f"{SERVING} thywill_server.management",
        f"{CONTRACTS} {SERVING} thywill_server.management thywill_server.apps django {TWISTED}",
    ),
    Rule("thywill_server", ""),
    # an application: the framework's face, Django, itself, and whatever else it needs
    Rule("thywill_apps.{own}", "thywill_server.application django thywill_apps.{own} *"),
    Rule("thywill_apps", ""),
)
NEVER_FOR_APPLICATIONS = "orbited morbid thywill_apps thywill_server"


def module_name(path: Path) -> str:
    """``morbid/session.py`` is ``morbid.session``."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def modules() -> dict[str, Path]:
    """Every module of our packages, by name."""
    paths = (path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py")))
    return {module_name(path): path for path in paths}


def matches(module: str, patterns: str) -> bool:
    """Whether a module is one of these, or inside one."""
    return any(
        fnmatch.fnmatchcase(module, pattern) or fnmatch.fnmatchcase(module, f"{pattern}.*")
        for pattern in patterns.split()
    )


def rule_for(module: str) -> Rule:
    """The first row that matches, with the application's own name filled in."""
    own = module.split(".")[1] if module.startswith("thywill_apps.") else "-"
    for rule in RULES:
        if matches(module, rule.modules.format(own=own)):
            return Rule(*(field.format(own=own) for field in rule))
    raise AssertionError(f"no row of the table speaks of {module}")


def is_allowed(module: str, imported: str) -> bool:
    """Look one import up in the table."""
    if imported.split(".")[0] in sys.stdlib_module_names:
        return True
    allowed = rule_for(module).may_import.split()
    if matches(imported, " ".join(name for name in allowed if name != "*")):
        return True
    return "*" in allowed and not matches(imported, NEVER_FOR_APPLICATIONS)


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


# Runs in a process of its own and forks once for each module, so that every import starts clean.
PROBE = """
import importlib, logging, os, signal, sys, threading, traceback

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

def probe(name):
    before = state()
    try:
        importlib.import_module(name)
    except Exception as error:
        if type(error).__name__ not in ("AppRegistryNotReady", "ImproperlyConfigured"):
            raise
        import django  # a model can only be imported once Django knows its applications
        django.setup()
        before = state()
        importlib.import_module(name)
    after = state()
    return [what for what in before if before[what] != after[what]]

for name in sys.argv[1:]:
    child = os.fork()
    if not child:
        try:
            problems = probe(name)
        except BaseException as error:
            problems = ["it cannot be imported: " + "".join(traceback.format_exception(error))]
        for problem in problems:
            print(f"{name}: {problem}", flush=True)
        os._exit(0)
    os.waitpid(child, 0)
"""


@pytest.mark.parametrize("package", PACKAGES)
def test_importing_has_no_side_effect(package: str) -> None:
    """Importing a module installs no reactor, sets up no logging, starts and changes nothing."""
    names = [name for name in modules() if name.split(".")[0] == package]
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "settings", "PYTHONPATH": str(ROOT)}
    arguments = [sys.executable, "-c", PROBE, *names]
    run = subprocess.run(
        arguments, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=110
    )
    assert (run.stdout, run.stderr, run.returncode) == ("", "", 0)


@pytest.mark.parametrize(
    ("core", "foreign"),
    [
        ("stompservice.protocol", "twisted"),
        ("morbid.messagequeue", "twisted"),
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
    subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=True, timeout=60)
