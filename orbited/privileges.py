"""Becoming somebody else, once the sockets are open.

Ports below 1024, and a private key that nobody else may read, need root; the rest does not. So a
server that root starts opens its addresses and files, and then gives up being root for good:
group first, then the supplementary groups, the user last, since only root may do any of these.
"""

import logging
import os
from ipaddress import ip_address
from typing import NamedTuple

from orbited.errors import ConfigurationError
from orbited.settings import Config

__all__ = ["Account", "change_to", "configured_account", "find_account"]

log = logging.getLogger(__name__)


class Account(NamedTuple):
    """Whom to become."""

    user: str
    uid: int
    gid: int


def find_account(user: str, group: str = "") -> Account:
    """Look up an account by name.

    Raises:
        ConfigurationError: there is none, or no such group.
    """
    import grp
    import pwd

    try:
        account = pwd.getpwnam(user)
    except KeyError:
        raise ConfigurationError(f"[global] user: there is no account {user!r} here") from None
    try:
        gid = grp.getgrnam(group).gr_gid if group else account.pw_gid
    except KeyError:
        raise ConfigurationError(f"[global] group: there is no group {group!r} here") from None
    return Account(user, account.pw_uid, gid)


def configured_account(config: Config) -> Account | None:
    """Whom the configuration wants this process to become, or None to stay who it is.

    As root without a user it goes on, with a warning, only while nobody but this machine reaches
    it. Who means to stay root says so: ``user = root``.

    Raises:
        ConfigurationError: there is no such account; or it is root and must not be.
    """
    user, group = config.global_.user, config.global_.group
    if os.name != "posix":
        return None
    if os.getuid() != 0:
        if user and find_account(user, group).uid != os.getuid():
            log.warning("only root can become %r ([global] user): staying who I am", user)
        return None
    if user:
        return find_account(user, group)
    outside = [each for each in config.listen if not _is_loopback(each.host)]
    if outside:
        where = f"{outside[0].scheme}://{outside[0].host}:{outside[0].port}"
        raise ConfigurationError(
            f"[global] user: root does not serve {where} to others; name an account to change "
            "to, as user = nobody, or say user = root"
        )
    log.warning("running as root: name an account in [global] user")
    return None


def change_to(account: Account) -> None:
    """Become that account, and see that there is no way back.

    Raises:
        ConfigurationError: it did not work; the process must not go on.
    """
    try:
        os.setgid(account.gid)
        os.initgroups(account.user, account.gid)
        os.setuid(account.uid)
    except OSError as error:
        raise ConfigurationError(
            f"[global] user: cannot become {account.user!r}: {error.strerror}"
        ) from None
    if os.getuid() != account.uid or os.getgid() != account.gid or _can_be_root_again(account):
        raise ConfigurationError(f"[global] user: becoming {account.user!r} did not last")
    log.info("running as %s", account.user)


def _can_be_root_again(account: Account) -> bool:
    if account.uid == 0:
        return False
    try:
        os.setuid(0)
    except OSError:
        return False
    return True


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
