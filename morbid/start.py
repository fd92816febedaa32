"""The command ``morbid``."""

from __future__ import annotations

import argparse
import errno
import getpass
import logging
import sys
from collections.abc import Sequence
from dataclasses import fields
from typing import TYPE_CHECKING, Final

from morbid.config import DEFAULT_INTERFACE, DEFAULT_PORT, OPTIONS, read_configuration
from morbid.errors import ConfigurationError
from morbid.limits import Limits

if TYPE_CHECKING:
    from twisted.internet.error import CannotListenError

INTRODUCTION: Final = """\
A STOMP 1.0, 1.1 and 1.2 broker. Programs connect, SUBSCRIBE to destinations, and SEND
messages to them: to everybody who is subscribed (/topic/NAME, or just NAME), or to one
of them in turn (/queue/NAME, which keeps messages until somebody takes them).

  morbid                              a broker for this machine: anybody on it may connect
  morbid -c morbid.cfg                settings from a file; what is given here goes before
  morbid -i 0.0.0.0 -c morbid.cfg     for the network; set who may come in, first

Ctrl-C or SIGTERM ends it: connections are told, and what was written is sent.
"""


def build_parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="morbid",
        description=INTRODUCTION,
        epilog="--help-options explains the configuration file.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("-c", "--config", metavar="FILE", help="configuration file")
    parser.add_argument(
        "-p",
        "--port",
        metavar="PORT",
        help=f"port to listen on, 0 for any (default {DEFAULT_PORT})",
    )
    parser.add_argument(
        "-i",
        "--interface",
        metavar="ADDRESS",
        help=f"address to listen on (default {DEFAULT_INTERFACE}, this machine only, which is the "
        "safe choice: without further settings everybody who reaches the port may read and "
        "send everything; MorbidQ 0.8 listened on all)",
    )
    parser.add_argument(
        "-a", "--auth", metavar="MODULE", help="security module: a Python file with a class Parms"
    )
    parser.add_argument("-r", "--restq", metavar="URL", help="URL of a RestQ service")
    parser.add_argument(
        "-v", "--verbose", action="store_true", help="log every connection, not only problems"
    )
    parser.add_argument(
        "--hash-password",
        action="store_true",
        help="ask for a name and a password, print a line for password_file, and end",
    )
    parser.add_argument(
        "--help-options",
        action="store_true",
        help="print every option of the configuration file with its default, and end",
    )
    return parser


def describe_options() -> str:
    """Every option of the configuration file, one line each."""
    lines = ["Lines option=value; lines that begin with # are comments.", ""]
    lines += [f"{name}\n    {meaning}" for name, meaning in OPTIONS.items()]
    lines += ["", "Limits:", ""]
    for bound in fields(Limits):
        lines.append(f"{bound.name}={bound.default}\n    {bound.metadata['help']}")
    return "\n".join(lines)


def main(argv: Sequence[str] | None = None) -> int:
    """Run a broker until it is told to stop; returns the exit status."""
    arguments = build_parser().parse_args(argv)
    if arguments.help_options:
        sys.stdout.write(describe_options() + "\n")
        return 0
    if arguments.hash_password:
        return _print_password_line()
    given = {
        name: value
        for name in ("port", "interface", "auth", "restq")
        if (value := getattr(arguments, name)) is not None
    }
    if arguments.verbose:
        given["verbose"] = "yes"
    try:
        return _run(arguments.config, given)
    except ConfigurationError as error:
        sys.stderr.write(f"morbid: {error}\n")
        return 1


def _run(path: str | None, given: dict[str, str]) -> int:
    configuration = read_configuration(path).overridden(given)
    logging.basicConfig(
        level=logging.INFO if configuration.flag("verbose") else logging.WARNING,
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
    )
    from morbid.reactor import install

    install()
    from twisted.internet import reactor
    from twisted.internet.error import CannotListenError

    from morbid.service import StompService

    service = StompService(configuration)
    try:
        service.startService()
    except CannotListenError as error:
        sys.stderr.write(f"morbid: {_cannot_listen(error)}\n")
        return 1
    host = configuration.text("interface", DEFAULT_INTERFACE) or "all interfaces"
    sys.stdout.write(f"morbid: STOMP on {host}, port {service.port}. Ctrl-C ends it.\n")
    sys.stdout.flush()
    reactor.addSystemEventTrigger("before", "shutdown", service.stopService)
    reactor.run()
    return 0


def _cannot_listen(error: CannotListenError) -> str:
    """One sentence: what is in the way, and what to do about it."""
    reason = getattr(error.socketError, "strerror", None) or error.socketError
    advice = {
        errno.EADDRINUSE: "choose another port with -p",
        errno.EACCES: "ports below 1024 are for the system; choose another with -p",
    }.get(getattr(error.socketError, "errno", 0), "choose another address with -i")
    host = error.interface or "all interfaces"
    return f"cannot listen on {host}, port {error.port}: {reason}; {advice}"


def _print_password_line() -> int:
    from morbid.passwords import hash_password

    sys.stderr.write("name: ")
    sys.stderr.flush()
    name = sys.stdin.readline().strip()
    if not name or ":" in name:
        sys.stderr.write("morbid: a name is not empty and has no colon\n")
        return 1
    password = getpass.getpass() if sys.stdin.isatty() else sys.stdin.readline().rstrip("\n")
    if not password:
        sys.stderr.write("morbid: the password is empty\n")
        return 1
    sys.stdout.write(f"{name}:{hash_password(password)}:\n")
    return 0
