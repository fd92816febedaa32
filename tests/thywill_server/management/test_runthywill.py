"""The command's options; that it serves is shown on real processes, in tests/functional."""

import pytest
from django.core.management.base import CommandError

from thywill_server.management.commands.runthywill import Command


def parse(*arguments):
    """Parse as ``manage.py runthywill`` does; a mistake is a CommandError."""
    parser = Command().create_parser("manage.py", "runthywill")
    return parser.parse_args(arguments)


def test_the_defaults_are_a_newcomers():
    """Without options: this machine only, port 8000, the setting's STOMP port, with reloading."""
    options = parse()
    assert (options.host, options.port, options.stomp_port) == ("127.0.0.1", 8000, None)
    assert (options.no_reload, options.threads) == (False, 10)


def test_every_option_is_taken():
    """Numbers are numbers."""
    options = parse("--port", "0", "--stomp-port", "65535", "--threads", "2", "--no-reload")
    assert (options.port, options.stomp_port, options.threads) == (0, 65535, 2)
    assert options.no_reload


@pytest.mark.parametrize(
    ("option", "value", "expected"),
    [
        ("--port", "65536", "a port from 0 to 65535"),
        ("--port", "-1", "a port from 0 to 65535"),
        ("--port", "٣", "a port from 0 to 65535"),
        ("--stomp-port", "x", "a port from 0 to 65535"),
        ("--threads", "0", "a number from 1 on"),
        ("--max-body-bytes", "1.5", "a number from 1 on"),
        ("--drain-seconds", "-1", "a number of seconds"),
        ("--drain-seconds", "nan", "a number of seconds"),
    ],
)
def test_a_wrong_value_is_named(option, value, expected):
    """The sentence has the option and what it may be."""
    with pytest.raises(CommandError, match=f"argument {option}: .*({expected})"):
        parse(f"{option}={value}")
