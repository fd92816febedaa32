"""A first room, so that a new site has one."""

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps


def make_lobby(apps: StateApps, _editor: BaseDatabaseSchemaEditor) -> None:
    """Make it, unless there are rooms."""
    rooms = apps.get_model("chat", "Room").objects
    if not rooms.exists():
        rooms.create(name="Lobby", slug="lobby", topic="For whoever drops in", reading="everyone")


class Migration(migrations.Migration):
    """The lobby."""

    dependencies = [("chat", "0001_initial")]
    operations = [migrations.RunPython(make_lobby, migrations.RunPython.noop)]
