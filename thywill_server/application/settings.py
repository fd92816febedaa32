"""Every setting of the component `local_python`, with its default and what it is for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from thywill_server.settings_table import Setting

SETTINGS: Final[Mapping[str, Setting]] = {
    "packages": Setting(
        kind="names",
        help="The application packages: a folder of them, such as thywill_apps, or a list.",
        default="thywill_apps",
    ),
    "default": Setting(
        kind="str",
        help="The application at /thywill/init/; the first in the alphabet when not given.",
    ),
    "handler_timeout_seconds": Setting(
        kind="float",
        help="How long an async function or a Deferred is waited for, in seconds; it is then "
        "cancelled and the browser reads application-failed.",
        default=30.0,
        minimum=0.001,
        maximum=3600,
    ),
    "slow_handler_seconds": Setting(
        kind="float",
        help="A function that takes longer is named in the log, as a warning.",
        default=1.0,
        minimum=0.001,
        maximum=3600,
    ),
    "max_commands": Setting(
        kind="int",
        help="How many commands one message {command: argument, ...} may hold.",
        default=50,
        minimum=1,
        maximum=10_000,
    ),
    "max_slow_commands": Setting(
        kind="int",
        help="How many commands that are declared slow may run at once in this process; one more "
        "is too-many-requests, so that threads are left for all others.",
        default=4,
        minimum=1,
        maximum=1_000,
    ),
    "max_rate_keys": Setting(
        kind="int",
        help="For how many browsers and commands with rate= this process counts; the one that "
        "was silent for longest is forgotten first.",
        default=10_000,
        minimum=1,
    ),
    "max_join_messages": Setting(
        kind="int",
        help="How many messages of a channel's history one answer holds; the page asks for "
        "the rest.",
        default=200,
        minimum=1,
    ),
    "max_join_bytes": Setting(
        kind="int",
        help="How much data of messages one such answer holds, but for a single message.",
        default=262_144,
        minimum=1_024,
    ),
    "max_state_bytes": Setting(
        kind="int",
        help="How large app.state, and the state of each client, may be, as JSON.",
        default=65_536,
        minimum=1_024,
    ),
    "client_state_seconds": Setting(
        kind="float",
        help="How long a client's state is kept after its last change; some time later, when "
        "others begin theirs, it is deleted.",
        default=86_400.0,
        minimum=60,
    ),
    "outgoing_destination": Setting(
        kind="str",
        help="A queue of the broker, such as /queue/thywill.outgoing, from which this process "
        "takes what other programs publish with the site's own login; empty: none.",
        default="",
    ),
    "reply_timeout_seconds": Setting(
        kind="float",
        help="How long the reply of an application in another process is waited for, in "
        "seconds; then the browser reads "
        "application-timeout.",
        default=10.0,
        minimum=0.05,
        maximum=3600,
    ),
    "max_unanswered": Setting(
        kind="int",
        help="How many messages one process sends to such an application without any answer; "
        "then the browser reads "
        "application-unavailable at once, but for one try every reply_timeout_seconds.",
        default=100,
        minimum=1,
    ),
    "max_outgoing": Setting(
        kind="int",
        help="How many messages of that queue the broker hands to this process before one is "
        "done (prefetch-count; MorbidQ goes by its own max_unacknowledged).",
        default=100,
        minimum=1,
        maximum=10_000,
    ),
}
