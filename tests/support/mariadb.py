"""A private MariaDB."""

from __future__ import annotations

import os
import shutil
import subprocess

from tests.support.private_server import PrivateServer

PLACES = f"{os.environ.get('PATH', '')}:/usr/local/sbin:/usr/sbin:/sbin"
SERVER = shutil.which("mariadbd", path=PLACES)
INSTALL = shutil.which("mariadb-install-db", path=PLACES)
CLIENT = shutil.which("mariadb", path=PLACES)
MISSING = "MariaDB or mysqlclient is missing; ./run test installs them where it can"


class MariaDB(PrivateServer):
    """One MariaDB whose own defaults are as careless as an old server's: not strict, latin1."""

    ACCOUNT = "mysql"
    component = "thywill_server.database.mysql.Mysql"

    def prepare(self) -> None:
        """Make its tables."""
        assert INSTALL is not None
        more = ["--skip-test-db", "--auth-root-authentication-method=normal"]
        self.run([INSTALL, *self._common, *more])

    @property
    def command(self) -> list[str]:
        """Small, without waiting for the disk; yet what is committed outlives a kill."""
        assert SERVER is not None
        return [
            SERVER,
            *self._common,
            f"--ssl-cert={self.folder}/server.pem",
            f"--ssl-key={self.folder}/server.key",
            f"--socket={self.socket}",
            f"--pid-file={self.folder}/pid",
            f"--tmpdir={self.folder}",
            "--bind-address=127.0.0.1",
            f"--port={self.port}",
            "--skip-name-resolve",
            "--skip-log-bin",
            "--character-set-server=latin1",
            "--sql-mode=",
            "--innodb-buffer-pool-size=32M",
            "--innodb-flush-log-at-trx-commit=2",
            "--performance-schema=OFF",
        ]

    @property
    def socket(self) -> str:
        """Its socket on this machine."""
        return f"{self.folder}/s"

    def administer(self, sql: str) -> str:
        """Ask as root, through the socket."""
        assert CLIENT is not None
        command = [CLIENT, "--no-defaults", "-uroot", f"-S{self.socket}", "-N", "-e", sql]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout

    def make_database(self, name: str) -> None:
        """Make it as the documentation says."""
        self.administer(
            f"CREATE DATABASE {name} CHARACTER SET utf8mb4;"
            "CREATE USER IF NOT EXISTS thywill@'127.0.0.1' IDENTIFIED BY 'pass';"
            "CREATE USER IF NOT EXISTS thywill@localhost IDENTIFIED BY 'pass';"
            "GRANT ALL ON *.* TO thywill@'127.0.0.1'; GRANT ALL ON *.* TO thywill@localhost"
        )

    @property
    def _common(self) -> list[str]:
        return [
            "--no-defaults",
            f"--datadir={self.folder}/data",
            "--innodb-log-file-size=4M",
        ]
