"""Every setting of the component `orbited_stomp`, with its default and what it is for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from thywill_server.settings_table import Setting

TRANSPORTS: Final = ("websocket", "xhrstream", "sse", "longpoll", "poll")

SETTINGS: Final[Mapping[str, Setting]] = {
    "orbited_url": Setting(
        kind="str",
        default="/orbited/",
        help="Where browsers find Orbited: a path of this site, or the URL of another origin. "
        "A one-process site uses embedded_url in its place.",
    ),
    "stomp_host": Setting(
        kind="str",
        default="127.0.0.1",
        help="The broker's host, as this site and Orbited see it.",
    ),
    "stomp_port": Setting(
        kind="int",
        default=61613,
        minimum=1,
        maximum=65535,
        help="The broker's STOMP port.",
    ),
    "stomp_login": Setting(
        kind="str",
        default="",
        help="The login of this site at a broker that has accounts; empty: a ticket is used.",
    ),
    "stomp_passcode": Setting(
        kind="str",
        default="",
        secret=True,
        help="The passcode to stomp_login; take it from the environment.",
    ),
    "stomp_virtual_host": Setting(
        kind="str",
        default="/",
        help="The virtual host at the broker.",
    ),
    "heart_beat_seconds": Setting(
        kind="float",
        default=10.0,
        minimum=0,
        maximum=3600,
        help="How often this site and the broker show each other that they live; 0: not at all.",
    ),
    "page_heart_beat_seconds": Setting(
        kind="float",
        default=60.0,
        minimum=0,
        maximum=3600,
        help="The same for pages, whose browsers may sleep, or delay the timers of hidden pages. "
        "Twice as long as this without a byte ends a connection, so it has to be no less than "
        "ping_interval + ping_timeout of Orbited; 0: not at all.",
    ),
    "ticket_key_file": Setting(
        kind="path",
        help="The file with the key that signs tickets, made when it is missing; "
        ".thywill/ticket.key by default. The environment variable THYWILL_TICKET_KEY outweighs it.",
    ),
    "ticket_seconds": Setting(
        kind="int",
        default=600,
        minimum=5,
        maximum=86400,
        help="How long a ticket is good, in seconds; a live page renews it before that, and a page "
        "that does not is disconnected when it ends.",
    ),
    "advisory_destination": Setting(
        kind="str",
        default="/queue/thywill.advisories",
        help="Where the broker reports connections, as morbid.cfg says it too; a queue, so that "
        "one process of the site hears each. Empty for a broker that does not: then pages say "
        "themselves, from time to time, that they are there.",
    ),
    "control_destination": Setting(
        kind="str",
        default="/queue/thywill.control",
        help="Where the site has the broker end connections, as morbid.cfg says it too. Empty for "
        "a broker that cannot: then pages are asked to go.",
    ),
    "transports": Setting(
        kind="list",
        default=["websocket", "xhrstream", "longpoll"],
        choices=TRANSPORTS,
        help="The ways to push that browsers try, in this order; sse and poll only if named.",
    ),
    "max_queued_messages": Setting(
        kind="int",
        default=10_000,
        minimum=1,
        help="Messages that wait while the broker is away or slow; with that many, pushing is "
        "unavailable and says so with push-unavailable.",
    ),
    "max_queued_bytes": Setting(
        kind="int",
        default=67_108_864,
        minimum=1024,
        help="The same bound for the bodies of those messages together.",
    ),
    "broker": Setting(
        kind="str",
        default="morbid.get_stomp_factory",
        help="Only for a one-process site: dotted path of the function that gives the broker it "
        "starts; empty: it connects to the one at stomp_host.",
    ),
    "broker_options": Setting(
        kind="mapping",
        default={},
        help="Only for a one-process site: further options of that broker.",
    ),
    "comet": Setting(
        kind="dotted path",
        default="orbited.service.embedded",
        help="Only for a one-process site: dotted path of the function that gives the comet server "
        "it starts.",
    ),
    "comet_options": Setting(
        kind="mapping",
        default={},
        help="Only for a one-process site: its further options, with the words of orbited.cfg.",
    ),
    "reactor": Setting(
        kind="str",
        default="orbited.start.install_reactor",
        help="Only for a one-process site: dotted path of the function that installs Twisted's "
        "reactor; empty: Twisted's own choice.",
    ),
    "embedded_url": Setting(
        kind="str",
        default="/orbited/",
        help="Only for a one-process site: the path at which it serves its comet server.",
    ),
}
