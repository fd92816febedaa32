"""An application that stops Django from starting: one sentence from manage.py."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.site_process import ROOT, environment

pytestmark = pytest.mark.functional

INTERFACE = "def message_from_client(uuid, raw_message):\n    return None\n"
VARIANT = """
import copy
from settings import *
from thywill_server.components import installed_applications
THYWILL = copy.deepcopy(THYWILL)
THYWILL["application"].update(packages="my_apps", default="shop")
INSTALLED_APPS = [
    name for name in INSTALLED_APPS if not name.startswith("thywill_apps")
] + installed_applications(THYWILL)
"""


@pytest.fixture
def manage(tmp_path):
    """Run a command on a site whose one application has these files."""

    def run(*arguments: str, **files: str) -> subprocess.CompletedProcess[str]:
        folder = tmp_path / "my_apps" / "shop"
        folder.mkdir(parents=True)
        contents = {"__init__": "", "thywill_interface": INTERFACE, **files}
        for name, source in contents.items():
            (folder / f"{name}.py").write_text(source)
        (tmp_path / "my_apps" / "__init__.py").touch()
        (tmp_path / "variant.py").write_text(VARIANT)
        given = {"DJANGO_SETTINGS_MODULE": "variant", "PYTHONPATH": os.fspath(tmp_path)}
        return subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT,
            env=environment(Path(tmp_path), **given),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    return run


WHERE = 'THYWILL["application"]["packages"]: cannot import "my_apps.shop" '


@pytest.mark.parametrize(
    ("files", "reason"),
    [
        (
            {"__init__": "\nprice = cost\n"},
            "(NameError: name 'cost' is not defined, __init__.py line 2)",
        ),
        ({"__init__": "import no_such_thing"}, "(No module named 'no_such_thing')"),
        ({"models": "class Item(:\n"}, "(SyntaxError: invalid syntax (models.py, line 1))"),
        (
            {
                "models": "from django.db import models\n\n\n"
                "class Item(models.Model):\n    price = models.CharField(max_length=1)\n"
                '    class Meta:\n        app_label = "shop"\n        colour = 1\n'
            },
            "(TypeError: 'class Meta' got invalid attribute(s): colour, models.py line 4)",
        ),
    ],
)
@pytest.mark.parametrize("command", ["check", "runthywill"])
def test_a_broken_application_is_a_sentence(manage, command, files, reason):
    """The sentence names setting, package, error and place, whatever the command."""
    result = manage(command, **files)
    assert result.returncode == 1
    assert result.stderr == f"{WHERE}{reason}\n"


def test_a_command_that_fails_keeps_its_traceback(manage):
    """Only what happens while Django starts is put into a sentence."""
    source = "from my_apps.shop import broken\nbroken()"
    result = manage("shell", "-c", source, __init__="def broken():\n    return 1 / 0\n")
    assert result.returncode == 1
    assert "Traceback" in result.stderr
    assert "ZeroDivisionError" in result.stderr
