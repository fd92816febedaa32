"""MySQL and MariaDB, through mysqlclient; set up so that nothing is cut short or lost silently."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from thywill_server.component import Problem
from thywill_server.database.server import DatabaseServer, server_settings
from thywill_server.settings_table import Setting


class Mysql(DatabaseServer):
    """A MySQL or MariaDB server.

    * Strict: what does not fit a column is an error, where the server's own default may cut it.
    * ``utf8mb4``: four bytes for a letter, so that emoji are text.
    * READ COMMITTED: a transaction that has waited for a row then reads what the other one wrote,
      and locks rows, not the gaps between them.

    The database itself must be made with that character set::

        CREATE DATABASE thywill CHARACTER SET utf8mb4;
    """

    DRIVER = "MySQLdb"
    ADVICE = (
        "install what builds it (Debian: sudo apt install gcc libc6-dev python3-dev pkg-config "
        "default-libmysqlclient-dev), then: pip install -r requirements-mysql.txt"
    )
    VERIFYING = frozenset({"VERIFY_CA", "VERIFY_IDENTITY"})

    SETTINGS: ClassVar[Mapping[str, Setting]] = {
        **server_settings(3306, "The database, made with CHARACTER SET utf8mb4."),
        "unix_socket": Setting(
            kind="path",
            help="The server's socket on this machine, in place of host and port.",
        ),
        "tls_mode": Setting(
            kind="str",
            help="DISABLED is plain TCP; PREFERRED encrypts where the server can; REQUIRED does "
            "nothing else; the last two compare the server's certificate with tls_ca, and the "
            "last one the host's name too.",
            default="PREFERRED",
            choices=("DISABLED", "PREFERRED", "REQUIRED", "VERIFY_CA", "VERIFY_IDENTITY"),
        ),
    }

    def check(self) -> list[str]:
        """Look for the socket as well."""
        problems = super().check()
        path = self.settings["unix_socket"]
        # A path of more than 107 bytes does not fit the address of a socket.
        if not problems and path is not None and len(bytes(path)) > 107:
            where = self.setting_name("unix_socket")
            problems.append(Problem(f"{where}: expected at most 107 bytes, got {len(bytes(path))}"))
        return problems

    def database_problems(self, connection: Any) -> list[str]:
        """See that it has room for emoji, and transactions."""
        if connection.vendor != "mysql":  # DATABASES was written by hand
            return []
        with connection.cursor() as cursor:
            cursor.execute("SELECT DATABASE(), @@character_set_database, @@default_storage_engine")
            name, character_set, engine = cursor.fetchone()
        found: list[str] = []
        if character_set != "utf8mb4":
            found.append(
                f'the database "{name}" has the character set {character_set}, which has no emoji: '
                f"ALTER DATABASE `{name}` CHARACTER SET utf8mb4, before its tables are made"
            )
        if engine != "InnoDB":
            found.append(
                f"the server's storage engine is {engine}, which has no transactions: "
                "set default_storage_engine = InnoDB, before the tables are made"
            )
        return found

    def django_database(self) -> dict[str, Any]:
        """Give the settings of Django's MySQL backend."""
        made = self._connection_settings("mysql")
        options: dict[str, Any] = {
            "charset": "utf8mb4",
            "isolation_level": "read committed",
            "init_command": (
                "SET SESSION sql_mode='TRADITIONAL', "
                f"SESSION innodb_lock_wait_timeout={self.settings['lock_timeout_seconds']}"
            ),
            "connect_timeout": self.settings["connect_timeout_seconds"],
        }
        if bound := self.settings["statement_timeout_seconds"]:
            # How long one answer may take, whatever holds it up: the statement or the network.
            options.update(read_timeout=bound, write_timeout=bound)
        if self.settings["unix_socket"] is not None:
            made["HOST"], made["PORT"] = str(self.settings["unix_socket"].absolute()), ""
        mode = self.settings["tls_mode"]
        files = self._given_files({"tls_ca": "ca", "tls_certificate": "cert", "tls_key": "key"})
        options["ssl_mode"] = mode
        if mode != "DISABLED" and files:
            options["ssl"] = files
        return {**made, "OPTIONS": options, "TEST": {"CHARSET": "utf8mb4"}}
