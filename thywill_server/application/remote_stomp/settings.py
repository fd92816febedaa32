"""Every setting of the component `remote_stomp`, with its default and what it is for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from thywill_server.application.settings import SETTINGS as LOCAL_SETTINGS
from thywill_server.settings_table import Setting

_SHARED: Final = (
    "reply_timeout_seconds",
    "max_unanswered",
    "max_outgoing",
    "default",
    "slow_handler_seconds",
    "max_join_messages",
    "max_join_bytes",
    "max_state_bytes",
    "client_state_seconds",
)

SETTINGS: Final[Mapping[str, Setting]] = {
    "applications": Setting(
        kind="mapping",
        required=True,
        help='What each application is, by name: a mapping with "title", "description", "icon", '
        '"scripts", "styles", "template", "parameters" and "channels", and "bootstrap": True '
        'where it is asked about each page, "events": True where it is told who comes and goes '
        '(and "events_destination", if that goes to another queue).',
    ),
    "outgoing_destination": Setting(
        kind="str",
        help="The queue on which this process takes what applications push and publish by "
        "themselves; empty: it takes nothing, and other processes of the site do.",
        default="/queue/thywill.outgoing",
    ),
    "stomp_host": Setting(
        kind="str",
        help="The broker's host; empty: the connection of the push component is used, and the "
        "other settings of the broker with it.",
        default="",
    ),
    "stomp_port": Setting(
        kind="int", help="The broker's STOMP port.", default=61613, minimum=1, maximum=65535
    ),
    "stomp_login": Setting(
        kind="str", help="The login of this site at the broker; empty for none.", default=""
    ),
    "stomp_passcode": Setting(
        kind="str",
        help="The passcode to stomp_login; take it from the environment.",
        default="",
        secret=True,
    ),
    "stomp_virtual_host": Setting(kind="str", help="The virtual host at the broker.", default="/"),
    "heart_beat_seconds": Setting(
        kind="float",
        help="How often each side of the STOMP connection shows that it lives; 0: not at all.",
        default=10.0,
        minimum=0,
        maximum=3600,
    ),
    "max_queued_messages": Setting(
        kind="int",
        help="Messages that wait while the broker is away or slow; with that many, the browser "
        "reads push-unavailable.",
        default=1_000,
        minimum=1,
    ),
    "max_queued_bytes": Setting(
        kind="int",
        help="The same bound for the bodies of those messages together.",
        default=16_777_216,
        minimum=1024,
    ),
    **{name: LOCAL_SETTINGS[name] for name in _SHARED},
}

DESTINATION: Final = "/queue/thywill.application.{name}"
"""Where an application reads its messages."""
