"""What the databases that are servers have in common: an address, a login, TLS, time-outs."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Final

from thywill_server.component import Problem
from thywill_server.database.base import DatabaseComponent
from thywill_server.settings_table import Setting

LOOPBACK: Final = "127.0.0.1"


def server_settings(port: int, name_help: str) -> dict[str, Setting]:
    """Give the settings that every database server has; ``port`` is its usual one."""
    return {
        "name": Setting(kind="str", help=name_help, required=True),
        "user": Setting(kind="str", help="The login at the server.", required=True),
        "password": Setting(
            kind="str",
            help="The login's password; read it from the environment, not from a file in a "
            "repository.",
            default="",
            secret=True,
        ),
        "host": Setting(kind="str", help="The machine that the server runs on.", default=LOOPBACK),
        "port": Setting(
            kind="int", help="The server's TCP port.", default=port, minimum=1, maximum=65535
        ),
        "connect_timeout_seconds": Setting(
            kind="int",
            help="How long a new connection may take, in whole seconds, before the request fails.",
            default=10,
            minimum=1,
            maximum=600,
        ),
        "statement_timeout_seconds": Setting(
            kind="int",
            help="How long one statement may take, in whole seconds, before the request fails. "
            "Make it longer than lock_timeout_seconds; 0 is no bound.",
            default=60,
            minimum=0,
            maximum=86400,
        ),
        "lock_timeout_seconds": Setting(
            kind="int",
            help="How long a statement waits for a row that another transaction holds, in whole "
            "seconds, before its request fails.",
            default=20,
            minimum=1,
            maximum=3600,
        ),
        "connection_max_age_seconds": Setting(
            kind="int",
            help="How long a thread keeps its connection for further requests, in seconds; 0 opens "
            "one for each request. A kept connection is tried before it is used, and replaced "
            "when the server has dropped it.",
            default=60,
            minimum=0,
            maximum=86400,
        ),
        "tls_ca": Setting(
            kind="path",
            help="File with the certificates (PEM) that the server's own must be signed by.",
        ),
        "tls_certificate": Setting(
            kind="path",
            help="File with a certificate (PEM) that says who we are, where the server asks for "
            "one; goes with tls_key.",
        ),
        "tls_key": Setting(kind="path", help="File with the private key of tls_certificate."),
    }


class DatabaseServer(DatabaseComponent):
    """A database that is reached over the network.

    Attributes:
        DRIVER: the module that talks to the server.
        ADVICE: how to come by it, as words that follow a semicolon.
    """

    DRIVER: ClassVar[str]
    ADVICE: ClassVar[str]
    VERIFYING: ClassVar[frozenset[str]]
    """The values of ``tls_mode`` that compare the server's certificate with ``tls_ca``."""

    def check(self) -> list[str]:
        """Look for the driver and for the files, and at settings that belong together."""
        problems = super().check()
        if problems:
            return problems
        for key in ("name", "user"):
            if not self.settings[key]:
                problems.append(Problem(f"{self.setting_name(key)}: expected text, got ''"))
        if reason := self._driver_problem():
            where = f'THYWILL["{self.SECTION}"]["component"]'
            sentence = f"{where}: {type(self).__name__} needs {reason}; {self.ADVICE}"
            problems.append(Problem(sentence))
        problems += self._tls_problems()
        lock, statement = (
            self.settings[f"{name}_timeout_seconds"] for name in ("lock", "statement")
        )
        if 0 < statement <= lock:
            where = self.setting_name("statement_timeout_seconds")
            problems.append(
                Problem(
                    f"{where}: expected more than lock_timeout_seconds ({lock}), got {statement}"
                )
            )
        return problems

    def _driver_problem(self) -> str:
        try:
            importlib.import_module(self.DRIVER)
        except ImportError as error:
            return f'the Python module "{self.DRIVER}" ({" ".join(str(error).split())})'
        return ""

    def _tls_problems(self) -> list[str]:
        found: list[str] = []
        for key in ("tls_ca", "tls_certificate", "tls_key"):
            path: Path | None = self.settings[key]
            if path is not None and not path.is_file():
                found.append(Problem(f'{self.setting_name(key)}: there is no file "{path}"'))
        pair = [self.settings[key] is None for key in ("tls_certificate", "tls_key")]
        if pair[0] != pair[1]:
            given, other = (
                ("tls_key", "tls_certificate") if pair[0] else ("tls_certificate", "tls_key")
            )
            found.append(Problem(f"{self.setting_name(other)}: missing; {given} needs it"))
        mode = self.settings["tls_mode"]
        if mode in self.VERIFYING and self.settings["tls_ca"] is None:
            where = self.setting_name("tls_ca")
            found.append(Problem(f'{where}: missing; tls_mode "{mode}" compares with it'))
        return found

    def _connection_settings(self, engine: str) -> dict[str, Any]:
        """Give what Django's backends name alike."""
        return {
            "ENGINE": f"django.db.backends.{engine}",
            "NAME": self.settings["name"],
            "USER": self.settings["user"],
            "PASSWORD": self.settings["password"],
            "HOST": self.settings["host"],
            "PORT": str(self.settings["port"]),
            "CONN_MAX_AGE": self.settings["connection_max_age_seconds"],
            "CONN_HEALTH_CHECKS": True,
        }

    def _given_files(self, names: Mapping[str, str]) -> dict[str, str]:
        """Give the files that are set, absolute, by the names that the driver has for them."""
        return {
            name: str(self.settings[key].absolute())
            for key, name in names.items()
            if self.settings[key] is not None
        }
