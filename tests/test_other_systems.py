"""What developers on Windows and macOS need, as far as it can be seen on Linux."""

import json
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from tests.support.documentation import ROOT, make_checkout, site

PROGRAM = """
import os, pkgutil, signal, sys
import django
os.environ["DJANGO_SETTINGS_MODULE"] = "settings"
import django.core.management, django.db.backends.sqlite3.base, logging.handlers, subprocess
import twisted.internet.reactor, twisted.web.wsgi, twisted.application.internet, twisted.python.log
import multiprocessing, tempfile, concurrent.futures, django.utils.autoreload, asgiref.sync

# Windows as far as imports can see it. The packages that others wrote are loaded by now: they
# have looked at the real system.
for name in ("fcntl", "grp", "pwd", "pty", "resource", "syslog", "termios", "tty"):
    sys.modules[name] = None
for name in ("fork", "getuid", "geteuid", "getgid", "setuid", "chown", "fchmod", "killpg"):
    delattr(os, name)
for name in ("SIGHUP", "SIGUSR1", "SIGUSR2", "SIGCHLD", "SIGKILL", "SIGQUIT"):
    delattr(signal, name)
sys.platform = "win32"

django.setup()
count = 0
for package in ("stompservice", "morbid", "orbited", "thywill_server"):
    parent = __import__(package)
    for found in pkgutil.walk_packages(parent.__path__, package + "."):
        if found.name.rpartition(".")[2] in ("__main__", "mysql", "postgresql"):
            continue
        try:
            __import__(found.name)
        except ImportError as error:
            print(found.name, error)
        count += 1
print("modules:", count)
"""


def test_every_module_can_be_imported_where_linux_is_not() -> None:
    """No module needs what the Python of Windows does not have."""
    run = subprocess.run(
        [sys.executable, "-c", PROGRAM], cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    assert run.returncode == 0, run.stderr
    *failed, last = run.stdout.splitlines()
    assert failed == []
    assert int(last.removeprefix("modules: ")) > 150


@pytest.mark.functional
def test_the_site_runs_on_the_reactor_of_windows_and_macos(tmp_path: Path) -> None:
    """Twisted watches sockets by select there; the site is healthy with it."""
    checkout = make_checkout(tmp_path)
    (checkout / "with_select.py").write_text(
        "import runpy, sys\n"
        "from twisted.internet import selectreactor\n"
        "selectreactor.install()\n"
        "del sys.argv[0]\n"
        'runpy.run_path(sys.argv[0], run_name="__main__")\n'
    )
    with site(checkout, python=("with_select.py",)) as address:
        with urllib.request.urlopen(address, timeout=60) as page:
            assert page.status == 200
        health = address.replace("/init/", "/health/")
        with urllib.request.urlopen(health, timeout=60) as answer:
            assert json.load(answer)["status"] == "ok"
