"""New applications in a site: written by ``thywill startapp``, and dropped in whole."""

import os
import re
import shutil
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.documentation import environment, make_checkout, manage, site, write

pytestmark = pytest.mark.functional

GUESTBOOK = {
    "__init__.py": "",
    "models.py": """
from django.db import models


class Entry(models.Model):
    text = models.CharField(max_length=100)
""",
    "migrations/__init__.py": "",
    "migrations/0001_initial.py": """
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True
    dependencies = []
    operations = [
        migrations.CreateModel(
            name="Entry",
            fields=[
                ("id", models.BigAutoField(
                    auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                )),
                ("text", models.CharField(max_length=100)),
            ],
        )
    ]
""",
    "admin.py": """
from django.contrib import admin

from thywill_apps.guestbook.models import Entry


@admin.register(Entry)
class EntryAdmin(admin.ModelAdmin):
    list_display = ["text"]
""",
    "thywill_interface.py": """
from thywill_apps.guestbook.models import Entry
from thywill_server.application import App, broadcast

app = App(title="Guestbook", template="guestbook/book.html", styles=["guestbook/book.css"])


@app.on("write")
def write(client, message: str):
    Entry.objects.create(text=message)
    broadcast("written", message)
    return Entry.objects.count()
""",
    "templates/guestbook/book.html": "<h1>{{ title }}</h1>",
    "static/guestbook/book.css": "h1 { color: teal; }",
    "tests/__init__.py": "",
    "tests/test_guestbook.py": """
from django.contrib.auth.models import User
from django.test import TestCase

from thywill_apps.guestbook.models import Entry
from thywill_server import testing


class GuestbookTest(TestCase):
    def test_an_entry_is_kept_and_told(self):
        with testing.open("guestbook") as page, testing.open("guestbook") as other:
            self.assertEqual(page.call("write", "hello"), 1)
            other.expect("written", "hello")
        self.assertEqual([entry.text for entry in Entry.objects.all()], ["hello"])

    def test_the_admin_lists_entries(self):
        Entry.objects.create(text="from the admin")
        self.client.force_login(User.objects.create_superuser("anna"))
        response = self.client.get("/admin/guestbook/entry/")
        self.assertContains(response, "from the admin")
""",
}

WITH_ADMIN = """
INSTALLED_APPS += [
    app for app in ("django.contrib.admin", "django.contrib.messages") if app not in INSTALLED_APPS
]
if "django.contrib.messages.middleware.MessageMiddleware" not in MIDDLEWARE:
    MIDDLEWARE.append("django.contrib.messages.middleware.MessageMiddleware")
processors = TEMPLATES[0]["OPTIONS"]["context_processors"]
if "django.contrib.messages.context_processors.messages" not in processors:
    processors.append("django.contrib.messages.context_processors.messages")
ROOT_URLCONF = "admin_urls"
"""

ADMIN_URLS = """
from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("admin/", admin.site.urls),
    path("thywill/", include("thywill_server.client_interface.django_site.urls")),
]
"""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of the site with nothing but the echo in it."""
    checkout = make_checkout(tmp_path)
    for folder in (checkout / "thywill_apps").iterdir():
        if folder.is_dir() and folder.name != "proof_of_concept":
            shutil.rmtree(folder)
    return checkout


@contextmanager
def reloading_site(checkout: Path) -> Iterator[Callable[[], str]]:
    """Run the copy as ``./run`` does; what is given waits until it has started (anew).

    That gives the address of its applications.
    """
    assert manage(checkout, "migrate", "--verbosity", "0").returncode == 0
    with (checkout / "site.log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "manage.py", "runthywill", "--port", "0", "--stomp-port", "0"],
            cwd=checkout,
            env=environment(checkout),
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
        stdout = process.stdout
        assert stdout is not None

        def wait_until_ready() -> str:
            for line in stdout:
                if found := re.search(r"http://\S+/thywill/init/", line):
                    return found.group()
            raise AssertionError((checkout / "site.log").read_text())

        try:
            yield wait_until_ready
        finally:
            process.terminate()
            process.communicate(timeout=60)


def get(url: str) -> str:
    """What is at an address."""
    with urllib.request.urlopen(url, timeout=60) as response:
        text: str = response.read().decode()
        return text


def test_a_new_application_is_served_at_once(checkout: Path) -> None:
    """``startapp`` writes it into a running site; its page is there, and its tests pass."""
    with reloading_site(checkout) as wait_until_ready:
        wait_until_ready()
        run = manage(checkout, "thywill", "startapp", "rolling_dice")
        assert (run.stderr, run.returncode) == ("", 0)
        assert "thywill_apps/rolling_dice/ is written:" in run.stdout
        address = wait_until_ready()
        page = get(f"{address}rolling_dice/")
        assert "<h1>Rolling dice</h1>" in page
        for path in re.findall(r"/static/rolling_dice/\w+\.\w+", page):
            assert get(address.replace("/thywill/init/", path))
    command = re.search(r"python (manage\.py test \S+)", run.stdout)
    assert command is not None
    tests = manage(checkout, *command[1].split()[1:])
    assert (tests.returncode, "Ran 3 tests" in tests.stderr) == (0, True), tests.stderr


def test_the_tests_of_a_new_application_pass_with_pytest(checkout: Path) -> None:
    """pytest-django finds and passes them too, and the code is as tidy as that of the project."""
    assert manage(checkout, "thywill", "startapp", "dice", "--title", "Würfel").returncode == 0
    program = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    variables = {**environment(checkout), "DJANGO_SETTINGS_MODULE": "settings"}
    variables["PYTHONPATH"] = os.pathsep.join([str(checkout), variables["PYTHONPATH"]])
    tests = subprocess.run(
        [*program, "thywill_apps/dice"],
        cwd=checkout,
        env=variables,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert "3 passed" in tests.stdout, tests.stdout + tests.stderr


def test_dropping_a_package_in_is_enough(checkout: Path) -> None:
    """Models, migrations, admin, templates, static files and tests work as in any Django app."""
    for path, text in GUESTBOOK.items():
        write(checkout, f"thywill_apps/guestbook/{path}", text)
    with (checkout / "settings.py").open("a") as settings:
        settings.write(WITH_ADMIN)
    write(checkout, "admin_urls.py", ADMIN_URLS)
    for command in (["check"], ["makemigrations", "--check", "--dry-run"]):
        run = manage(checkout, *command)
        assert run.returncode == 0, run.stdout + run.stderr
    with site(checkout) as address:
        page = get(f"{address}guestbook/")
        assert "<h1>Guestbook</h1>" in page
        assert (
            get(address.replace("/thywill/init/", "/static/guestbook/book.css")).strip()
            == (GUESTBOOK["static/guestbook/book.css"])
        )
        assert "Log in" in get(address.replace("/thywill/init/", "/admin/login/"))
    tests = manage(checkout, "test", "thywill_apps.guestbook")
    assert (tests.returncode, "Ran 2 tests" in tests.stderr) == (0, True), tests.stderr
