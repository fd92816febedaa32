"""The secret that signs tickets, found by both sides without a step by hand.

The side that gives tickets (Django) and the side that checks them (the broker's authenticator) may
be two processes that start in any order. Both call `load_ticket_key`: it takes the key from the
environment, or else from a file, and whoever comes first makes that file. The making is atomic, so
two processes that start together end with the same key, and nobody reads a half-written one.
"""

import contextlib
import logging
import os
import secrets
import stat
import tempfile
from collections.abc import Mapping
from pathlib import Path

from thywill_server.errors import ConfigurationError

__all__ = [
    "ENVIRONMENT_VARIABLE",
    "MIN_KEY_BYTES",
    "default_key_file",
    "find_ticket_key",
    "load_ticket_key",
]

log = logging.getLogger(__name__)

ENVIRONMENT_VARIABLE = "THYWILL_TICKET_KEY"
HOME_VARIABLE = "THYWILL_HOME"
MIN_KEY_BYTES = 32
"""RFC 7518, section 3.2: a key for HS256 is at least as long as the hash."""


def default_key_file(directory: Path, environment: Mapping[str, str] | None = None) -> Path:
    """Say where the key lies when nobody names a file.

    Args:
        directory: the project's folder.
        environment: the process's environment; ``THYWILL_HOME`` moves the file.
    """
    home = (os.environ if environment is None else environment).get(HOME_VARIABLE)
    return Path(home, "ticket.key") if home else directory / ".thywill" / "ticket.key"


def find_ticket_key(path: Path, environment: Mapping[str, str] | None = None) -> bytes | None:
    """Return the key from the environment or the file; None when there is neither.

    Raises:
        ConfigurationError: the key is too short, or the file cannot be read.
    """
    given = (os.environ if environment is None else environment).get(ENVIRONMENT_VARIABLE)
    if given is not None:
        return _checked(given.strip().encode(), f"environment variable {ENVIRONMENT_VARIABLE}")
    try:
        text = _read(path)
    except OSError as error:
        raise _trouble(path, error) from error
    return None if text is None else _checked(text.strip(), f"ticket key file {path}")


def load_ticket_key(path: Path, environment: Mapping[str, str] | None = None) -> bytes:
    """Return the key that signs tickets, making its file if there is neither key nor file.

    Raises:
        ConfigurationError: the key is too short, or the file can neither be read nor made.
    """
    key = find_ticket_key(path, environment)
    if key is None:
        try:
            _make(path)
        except OSError as error:
            raise _trouble(path, error) from error
        key = find_ticket_key(path, environment)
        assert key is not None
    return key


def _trouble(path: Path, error: OSError) -> ConfigurationError:
    reason = error.strerror or error
    return ConfigurationError(f"ticket key file {path}: cannot be read or made ({reason})")


def _checked(key: bytes, origin: str) -> bytes:
    if len(key) < MIN_KEY_BYTES:
        raise ConfigurationError(
            f"{origin}: expected a key of at least {MIN_KEY_BYTES} bytes, got {len(key)}"
        )
    return key


def _read(path: Path) -> bytes | None:
    try:
        with path.open("rb") as file:
            text = file.read()
            others = stat.S_IMODE(os.fstat(file.fileno()).st_mode) & (stat.S_IRWXG | stat.S_IRWXO)
    except FileNotFoundError:
        return None
    if others and os.name == "posix":
        log.warning("ticket key file %s can be read by others; make it private: chmod 600", path)
    return text


def _make(path: Path) -> None:
    """Write a new key beside its place and link it there; a file that exists already wins."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor, unfinished = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)  # 0600
    try:
        with open(descriptor, "w", encoding="ascii") as file:
            file.write(secrets.token_urlsafe(48) + "\n")
            file.flush()
            os.fsync(file.fileno())
        # Linking fails where a file is; renaming would replace it, and with it a key in use.
        with contextlib.suppress(FileExistsError):
            os.link(unfinished, path)
    finally:
        os.unlink(unfinished)
