"""The ``orbited`` command: reads a configuration, listens, runs until it is told to stop."""

import argparse
import gc
import logging
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Any

from orbited import __version__
from orbited.config import SEARCH_PATH, find, find_mistakes, from_text, load
from orbited.errors import ConfigurationError
from orbited.settings import Config
from orbited.signals import Signals

__all__ = ["QUICKSTART", "install_reactor", "main"]

log = logging.getLogger(__name__)

#: What ``--quickstart`` runs: everything on this machine only.
QUICKSTART = """\
[listen]
http://127.0.0.1:8000
stomp://127.0.0.1:61613
[access]
* -> localhost:61613
* -> 127.0.0.1:61613
"""

DESCRIPTION = """\
A TCP socket for JavaScript: pages open connections over WebSocket, HTTP streams or
long polling, and this server connects them to the addresses that its access list names.
"""

EXAMPLE = f"""\
a configuration that does something:
  [listen]
  http://127.0.0.1:8001                  where pages connect
  stomp://127.0.0.1:61613 morbid.cfg     a STOMP broker in this process
  [access]
  * -> 127.0.0.1:61613                   pages served from here may reach the broker,
  https://example.com -> 127.0.0.1:61613 and so may those of this origin

without --config the first of these that exists is read:
  {", ".join(SEARCH_PATH)}

try it:
  orbited --quickstart                   a server and a broker on this machine
  orbited --check -c orbited.cfg         say all that is wrong with a file, by file and line

SIGTERM and Ctrl-C tell the browsers, wait for them a little, and stop; a second time stops at
once. SIGHUP opens the log files again, and reads key and certificate anew. Every key:
documentation/reference/orbited.md
"""


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="orbited",
        description=DESCRIPTION,
        epilog=EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("-c", "--config", metavar="FILE", help="read this configuration file")
    parser.add_argument(
        "-v", "--version", action="version", version=f"Orbited version: {__version__}"
    )
    parser.add_argument(
        "-q", "--quickstart", action="store_true", help="run without a configuration file"
    )
    parser.add_argument(
        "-p", "--profile", action="store_true", help="print where the time went, when stopped"
    )
    parser.add_argument(
        "--check",
        action="store_true",
        help="say every mistake of the configuration, or that it is fine, and stop: status 1 or 0",
    )
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command.

    Args:
        argv: the arguments; those of the process by default.

    Returns:
        The exit status: 0, or 1 when the configuration is wrong or an address is taken.
    """
    parser = _parser()
    options, rest = parser.parse_known_args(argv)
    if rest:
        return _complain(f"unexpected argument {rest[0]!r}; orbited --help tells what there is")
    try:
        if options.check:
            return _check(options)
        return _run(_configuration(options), is_profiled=options.profile)
    except ConfigurationError as error:
        return _complain(str(error))


def _check(options: argparse.Namespace) -> int:
    """Say every mistake of a file, or that it is fine."""
    path = "--quickstart" if options.quickstart else _path(options)
    mistakes = [] if options.quickstart else find_mistakes(path)
    if not mistakes:
        from orbited import server

        mistakes = server.find_mistakes(_configuration(options))
    for mistake in mistakes:
        _complain(str(mistake))
    if not mistakes:
        print(f"{path}: fine")  # noqa: T201
    return 1 if mistakes else 0


def _complain(sentence: str) -> int:
    print(f"orbited: {sentence}", file=sys.stderr)  # noqa: T201
    return 1


def _configuration(options: argparse.Namespace) -> Config:
    return from_text(QUICKSTART, "--quickstart") if options.quickstart else load(_path(options))


def _path(options: argparse.Namespace) -> str:
    path: str | None = options.config or find()
    if path is None:
        raise ConfigurationError(
            f"no configuration file: there is none of {', '.join(SEARCH_PATH)}; "
            "name one with --config, or try --quickstart"
        )
    return path


def _run(config: Config, *, is_profiled: bool) -> int:
    try:
        reactor = install_reactor(config.global_.reactor)

        from orbited.logs import configure, take_over_twisted
        from orbited.privileges import change_to, configured_account
        from orbited.server import Server

        log_files = configure(config.logging, config.loggers)
        take_over_twisted()
        log.info("Orbited %s on %s", __version__, type(reactor).__name__)
        account = configured_account(config)
        server = Server(config, reactor)
        signals = Signals(reactor, log_files.reopen, server.reload_certificates)
        signals.follow()
        server.listen()
        if account is not None:
            log_files.give_to(account.uid, account.gid)
            change_to(account)
    except ConfigurationError as error:
        raise config.placed(error) from None
    reactor.addSystemEventTrigger("before", "shutdown", server.stop)
    reactor.callWhenRunning(signals.follow)
    gc.collect()
    gc.freeze()  # what is there by now stays, and is not searched for rubbish again and again
    if is_profiled:
        _run_profiled(reactor)
    else:
        reactor.run()
    return 0


def install_reactor(name: str = "") -> Any:
    """Install the reactor of that name, unless there is one already.

    Args:
        name: as in ``[global] reactor``; "" takes the platform's best.

    Returns:
        ``twisted.internet.reactor``.

    Raises:
        ConfigurationError: it does not run here, or another one is in use.
    """
    if name:
        from twisted.internet import error

        try:
            module: Any = import_module(f"twisted.internet.{name}reactor")
            module.install()
        except (ImportError, AttributeError) as problem:
            raise ConfigurationError(
                f"[global] reactor: {name} does not run on this machine ({problem})"
            ) from None
        except error.ReactorAlreadyInstalledError:
            from twisted.internet import reactor as installed

            if not type(installed).__module__.endswith(f".{name}reactor"):
                raise ConfigurationError(
                    f"[global] reactor: {type(installed).__name__} is in use already, not {name}"
                ) from None
    elif sys.platform == "linux" and "twisted.internet.reactor" not in sys.modules:
        from orbited.reactor import install

        install()
    from twisted.internet import reactor

    return reactor


def _run_profiled(reactor: Any) -> None:
    import cProfile
    import pstats

    profile = cProfile.Profile()
    profile.runcall(reactor.run)
    pstats.Stats(profile).sort_stats("tottime").print_stats(40)
