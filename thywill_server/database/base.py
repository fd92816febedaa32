"""The contract of database components: which database Django uses, and how.

A complete one::

    class Memory(DatabaseComponent):
        def django_database(self):
            return {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}
"""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, ClassVar

from thywill_server.component import Component


class DatabaseComponent(Component):
    """Says which database Django uses."""

    SECTION: ClassVar[str] = "database"

    @abstractmethod
    def django_database(self) -> dict[str, Any]:
        """Give what ``DATABASES["default"]`` is. Called while ``settings.py`` is read.

        The database's own folder may be made here; nothing is connected.
        """

    def database_problems(self, connection: Any) -> list[str]:
        """Look at the database itself; gives a sentence for each thing that it cannot do.

        Called by ``manage.py migrate``, and by ``check --database default``.

        Args:
            connection: Django's, to be used and left open.
        """
        return []
