"""Logins from a file, with passwords that the file does not give away.

One line for each login; ``morbid --hash-password`` prints it, groups are added by hand::

    site:scrypt$14$8$1$c2FsdHNhbHQ...$aGFzaGhhc2g...:site,admins

``scrypt$LOG2N$R$P$SALT$HASH`` is RFC 7914 with its cost, in base64. A hash takes some
fifty milliseconds on purpose, so it is computed in a thread.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from morbid.errors import ConfigurationError
from morbid.mqsecurity import Identity

LOG2_N: Final = 14
BLOCK_SIZE: Final = 8
PARALLELISM: Final = 1
SALT_BYTES: Final = 16
HASH_BYTES: Final = 32

MAX_LOG2_N: Final = 18
MAX_BLOCK_SIZE: Final = 16
MAX_PARALLELISM: Final = 16
"""A hash in a file may not ask for more work than these."""


@dataclass(frozen=True, slots=True)
class PasswordHash:
    """What is left of a password, and how it was made."""

    log2_n: int
    block_size: int
    parallelism: int
    salt: bytes
    digest: bytes

    @classmethod
    def parse(cls, text: str) -> PasswordHash:
        """Read ``scrypt$LOG2N$R$P$SALT$HASH``; ValueError when it is not one."""
        kind, *rest = text.split("$")
        if kind != "scrypt" or len(rest) != 5:
            raise ValueError("expected scrypt$... as morbid --hash-password prints it")
        log2_n, block_size, parallelism = (int(number) for number in rest[:3])
        if not (
            1 <= log2_n <= MAX_LOG2_N
            and 1 <= block_size <= MAX_BLOCK_SIZE
            and 1 <= parallelism <= MAX_PARALLELISM
        ):
            raise ValueError("the cost of the hash is out of range")
        salt, digest = (base64.b64decode(part, validate=True) for part in rest[3:])
        if len(digest) != HASH_BYTES:
            raise ValueError("the hash is cut short")
        return cls(log2_n, block_size, parallelism, salt, digest)

    def matches(self, password: str) -> bool:
        """Whether this is the password. Slow."""
        made = _scrypt(password, self.salt, self.log2_n, self.block_size, self.parallelism)
        return hmac.compare_digest(made, self.digest)

    def __str__(self) -> str:
        salt, digest = (base64.b64encode(part).decode() for part in (self.salt, self.digest))
        return f"scrypt${self.log2_n}${self.block_size}${self.parallelism}${salt}${digest}"


def hash_password(password: str) -> str:
    """Make what a line of the file says about a password. Slow."""
    salt = secrets.token_bytes(SALT_BYTES)
    digest = _scrypt(password, salt, LOG2_N, BLOCK_SIZE, PARALLELISM)
    return str(PasswordHash(LOG2_N, BLOCK_SIZE, PARALLELISM, salt, digest))


def _scrypt(password: str, salt: bytes, log2_n: int, block_size: int, parallelism: int) -> bytes:
    return hashlib.scrypt(
        password.encode("utf-8", "surrogateescape"),
        salt=salt,
        n=2**log2_n,
        r=block_size,
        p=parallelism,
        dklen=HASH_BYTES,
        maxmem=2 * 128 * block_size * (2**log2_n + parallelism),
    )


# Somebody we do not know takes as long to refuse as a wrong password.
_NOBODY: Final = PasswordHash(LOG2_N, BLOCK_SIZE, PARALLELISM, bytes(SALT_BYTES), bytes(HASH_BYTES))


class PasswordFile:
    """An authenticator that knows the logins of a file.

    Args:
        logins: (hash, groups) by name.
        run: how to call a function that is slow; a thread by default.
    """

    def __init__(
        self,
        logins: Mapping[str, tuple[PasswordHash, tuple[str, ...]]],
        run: Callable[..., Any] | None = None,
    ) -> None:
        self._logins = logins
        self._run = run or _in_thread

    @classmethod
    def read(cls, path: Path, run: Callable[..., Any] | None = None) -> PasswordFile:
        """Read a file.

        Raises:
            ConfigurationError: it cannot be read, or a line is wrong.
        """
        logins: dict[str, tuple[PasswordHash, tuple[str, ...]]] = {}
        for place, line in read_lines(path):
            name, _, rest = line.partition(":")
            text, _, groups = rest.partition(":")
            if name in logins:
                raise ConfigurationError(f"{place}: {name!r} is there twice")
            try:
                hashed = PasswordHash.parse(text.strip())
            except ValueError as error:
                raise ConfigurationError(f"{place}: password of {name!r}: {error}") from None
            logins[name] = hashed, tuple(each.strip() for each in groups.split(",") if each.strip())
        return cls(logins, run)

    def authenticate(self, login: str, passcode: str, peer: str) -> Any:
        """Compare, in a thread; a Deferred."""
        return self._run(self._check, login, passcode)

    def _check(self, login: str, passcode: str) -> Identity | None:
        hashed, groups = self._logins.get(login, (_NOBODY, ()))
        if hashed.matches(passcode) and login in self._logins:
            return Identity(login, groups)
        return None


def _in_thread(function: Callable[..., Any], *arguments: object) -> Any:
    from twisted.internet.threads import deferToThread

    return deferToThread(function, *arguments)


def read_lines(path: Path) -> list[tuple[str, str]]:
    """The lines of a settings file that say something, each with ``FILE:LINE``.

    Raises:
        ConfigurationError: it cannot be read.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "not UTF-8"
        raise ConfigurationError(f"cannot read {path}: {reason}") from None
    numbered = ((f"{path}:{number}", line.strip()) for number, line in enumerate(lines, start=1))
    return [(place, line) for place, line in numbered if line and not line.startswith("#")]
