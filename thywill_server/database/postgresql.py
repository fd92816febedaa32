"""PostgreSQL, through psycopg 3."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Final

from thywill_server.database.server import DatabaseServer, server_settings
from thywill_server.settings_table import Setting

KEEPALIVE_SECONDS: Final = 30
"""A connection that is silent for so long is asked whether the other side is still there."""


class Postgresql(DatabaseServer):
    """A PostgreSQL server, at its own level READ COMMITTED.

    The database must be made with the encoding UTF8, which is what most servers do::

        CREATE DATABASE thywill ENCODING 'UTF8';
    """

    DRIVER = "psycopg"
    ADVICE = "pip install -r requirements-postgresql.txt"
    VERIFYING = frozenset({"verify-ca", "verify-full"})

    SETTINGS: ClassVar[Mapping[str, Setting]] = {
        **server_settings(5432, "The database, made with ENCODING 'UTF8'."),
        "tls_mode": Setting(
            kind="str",
            help="disable is plain TCP; prefer encrypts where the server can; require does nothing "
            "else; the last two compare the server's certificate with tls_ca, and the last one "
            "the host's name too. A host that is a folder of sockets is never encrypted.",
            default="prefer",
            choices=("disable", "prefer", "require", "verify-ca", "verify-full"),
        ),
    }

    def django_database(self) -> dict[str, Any]:
        """Give the settings of Django's PostgreSQL backend."""
        lock = self.settings["lock_timeout_seconds"]
        statement = self.settings["statement_timeout_seconds"]
        options: dict[str, Any] = {
            "connect_timeout": self.settings["connect_timeout_seconds"],
            "options": f"-c lock_timeout={lock}s -c statement_timeout={statement}s",
            "client_encoding": "UTF8",
            "sslmode": self.settings["tls_mode"],
            "keepalives_idle": KEEPALIVE_SECONDS,
            # Milliseconds; else a dead machine is waited for a quarter of an hour.
            "tcp_user_timeout": 1000 * KEEPALIVE_SECONDS,
        }
        options.update(
            self._given_files(
                {"tls_ca": "sslrootcert", "tls_certificate": "sslcert", "tls_key": "sslkey"}
            )
        )
        return {**self._connection_settings("postgresql"), "OPTIONS": options}
