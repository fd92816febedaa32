"""The settings of connections, which are in ``THYWILL["client_interface"]``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from thywill_server.settings_table import Setting

SETTINGS: Final[Mapping[str, Setting]] = {
    "disconnect_grace_seconds": Setting(
        kind="float",
        help="How long a page whose connection is gone may take to come back before it counts as "
        "gone, and on_disconnect is called.",
        default=0.5,
        minimum=0,
        maximum=3600,
    ),
    "presence_grace_seconds": Setting(
        kind="float",
        help="How long somebody may be out of a channel before the others hear that they have "
        "left; a reload is shorter than that.",
        default=2.0,
        minimum=0,
        maximum=3600,
    ),
    "lease_seconds": Setting(
        kind="float",
        help="Where no broker reports connections: how long a page that says nothing is taken to "
        "be there. It says so three times as often.",
        default=45.0,
        minimum=3,
        maximum=3600,
    ),
    "broker_lease_seconds": Setting(
        kind="float",
        help="How long the connections of a broker that nobody hears are taken to be there.",
        default=30.0,
        minimum=3,
        maximum=3600,
    ),
    "connection_threads": Setting(
        kind="int",
        help="Threads that note who comes and goes, and run on_connect and on_disconnect; they "
        "start with the first client.",
        default=4,
        minimum=1,
        maximum=64,
    ),
    "max_waiting_connections": Setting(
        kind="int",
        help="How many arrivals and departures may wait for those threads; of more, the log "
        "says that their functions were not called.",
        default=10_000,
        minimum=1,
    ),
}
