"""Security modules as MorbidQ 0.8 had them: a Python file with a class ``Parms``.

::

    class Parms:
        def checker_config(self):                  # who comes in
            return {"sec_type": "file", "filename": "passwd"}
        def group_config(self):                    # name -> groups
            return lambda name: [name]
        def get_group_access_rights(self):         # groups, destination -> letters
            return lambda groups, destination: "crw" if "admin" in groups else "r"

``sec_type`` is ``any`` (everybody), ``test`` (``usr0``/``pwd0`` and so on, ``id_count`` of
them, 10 by default) or ``file`` (lines with a name and a password, also ``delim``,
``usernameField``, ``passwordField``, ``caseSensitive``, ``hash``, ``cache``, as for
``twisted.cred.checkers.FilePasswordDB``). ``pam`` and ``db`` are refused: name an
authenticator of your own instead.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from twisted.cred.checkers import (
    FilePasswordDB,
    ICredentialsChecker,
    InMemoryUsernamePasswordDatabaseDontUse,
)
from twisted.cred.credentials import IUsernamePassword
from twisted.cred.portal import Portal
from twisted.internet.defer import Deferred, succeed
from zope.interface import implementer

from morbid.errors import ConfigurationError
from morbid.mqsecurity import Authenticator, Authorizer, Operation
from morbid.portal import PortalAuthenticator, Realm
from morbid.rights import LETTERS

TEST_LOGINS: Final = 10


@implementer(ICredentialsChecker)
class _Anybody:
    """Lets in whoever gives a name, under that name."""

    credentialInterfaces = (IUsernamePassword,)

    def requestAvatarId(self, credentials: Any) -> Deferred[bytes | tuple[()]]:
        """Twisted: who this is."""
        return succeed(bytes(credentials.username))


class ParmsRights:
    """An authorizer that asks a security module for letters."""

    def __init__(self, rights_of: Callable[[list[str], str], Iterable[str]]) -> None:
        self._rights_of = rights_of

    def authorize(
        self, identity: Any, operation: Operation, destination: str, headers: Mapping[str, str]
    ) -> bool:
        """Look for the letter of this operation."""
        return LETTERS[operation] in self._rights_of(list(identity.groups), destination)


def load_parms(path: Path) -> tuple[Authenticator, Authorizer]:
    """Load a security module; the path may leave out ``.py``.

    Raises:
        ConfigurationError: it cannot be loaded, or asks for what there is not.
    """
    file = path if path.suffix == ".py" else path.with_name(path.name + ".py")
    spec = importlib.util.spec_from_file_location(f"morbid_parms_{file.stem}", file)
    if spec is None or spec.loader is None or not file.is_file():
        raise ConfigurationError(f"auth: there is no security module {file}")
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
        parms = module.Parms()
        checker = _make_checker(dict(parms.checker_config()), file.parent)
        groups_of = parms.group_config() if hasattr(parms, "group_config") else _own_group
        rights_of = (
            parms.get_group_access_rights()
            if hasattr(parms, "get_group_access_rights")
            else _all_rights
        )
    except ConfigurationError as error:
        raise ConfigurationError(f"auth: {file}: {error}") from None
    except Exception as error:
        raise ConfigurationError(f"auth: {file}: {type(error).__name__}: {error}") from error
    return PortalAuthenticator(Portal(Realm(groups_of), [checker])), ParmsRights(rights_of)


def _make_checker(config: dict[str, Any], directory: Path) -> Any:
    kind = config.pop("sec_type", None)
    if kind == "any":
        return _Anybody()
    if kind == "test":
        count = int(config.get("id_count", TEST_LOGINS))
        logins = {f"usr{number}": b"pwd%d" % number for number in range(count)}
        return InMemoryUsernamePasswordDatabaseDontUse(**logins)
    if kind == "file":
        file = directory / config.pop("filename")
        if not file.is_file():
            raise ConfigurationError(f"there is no password file {file}")
        if isinstance(config.get("delim"), str):
            config["delim"] = config["delim"].encode()
        return FilePasswordDB(str(file), **config)  # type: ignore[no-untyped-call]
    raise ConfigurationError(f"sec_type: expected any, test or file, got {kind!r}")


def _own_group(name: str) -> list[str]:
    return [name]


def _all_rights(groups: list[str], destination: str) -> str:
    return "crw"
