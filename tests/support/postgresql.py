"""A private PostgreSQL."""

from __future__ import annotations

import os
import shutil
import subprocess
from glob import glob

from tests.support.private_server import PrivateServer

# Debian keeps the server's programs off everybody's PATH, a folder for each version.
PLACES = ":".join([os.environ.get("PATH", ""), *sorted(glob("/usr/lib/postgresql/*/bin"))[::-1]])
SERVER = shutil.which("postgres", path=PLACES)
INITDB = shutil.which("initdb", path=PLACES)
CLIENT = shutil.which("psql", path=PLACES)
MISSING = "PostgreSQL or psycopg is missing; ./run test installs them where it can"


class PostgreSQL(PrivateServer):
    """One PostgreSQL that does not wait for the disk."""

    ACCOUNT = "postgres"
    component = "thywill_server.database.postgresql.Postgresql"

    def prepare(self) -> None:
        """Make its first database."""
        assert INITDB is not None
        data = ["-D", f"{self.folder}/data"]
        how = ["-U", "postgres", "--auth=trust", "-E", "UTF8", "--locale=C", "--no-sync"]
        self.run([INITDB, *data, *how])

    @property
    def command(self) -> list[str]:
        """Small, on loopback and on a socket in its folder."""
        assert SERVER is not None
        settings = {
            "listen_addresses": "127.0.0.1",
            "port": self.port,
            "unix_socket_directories": self.folder,
            "ssl": "on",
            "ssl_cert_file": self.folder / "server.pem",
            "ssl_key_file": self.folder / "server.key",
            "fsync": "off",
            "shared_buffers": "32MB",
            "max_connections": 60,
        }
        given = [f"--{name}={value}" for name, value in settings.items()]
        return [SERVER, "-D", f"{self.folder}/data", *given]

    def administer(self, sql: str) -> str:
        """Ask as postgres, through the socket."""
        assert CLIENT is not None
        where = ["-h", str(self.folder), "-p", str(self.port), "-U", "postgres"]
        statements = [word for each in sql.split(";") for word in ("-c", each)]
        command = [CLIENT, "-X", "-q", "-A", "-t", *where, *statements]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout

    def make_database(self, name: str) -> None:
        """Make it, and its user with the first one."""
        if not self.administer("SELECT 1 FROM pg_roles WHERE rolname = 'thywill'"):
            self.administer("CREATE ROLE thywill LOGIN SUPERUSER PASSWORD 'pass'")
        self.administer(f"CREATE DATABASE {name} OWNER thywill")
