"""Draws the pictures of the documentation: the bootstrap in five steps, and the system's shape.

    python documentation/images/draw.py

The pictures share one scene, so that a change to it is made once. Each follows the reader's color
scheme by itself, keeps its text as text, and carries a title and a description for those who
listen.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path

from svg import arrow, box, group, number, picture, text

# --- the scene of the bootstrap -----------------------------------------------------------------

BROWSER, DJANGO, ORBITED, MORBID = (24, 300), (560, 376), (560, 172), (764, 172)
TOP, DJANGO_END, BROKER_TOP, BOTTOM = 92, 288, 336, 456
COMPONENTS = ("log", "database", "push", "client interface", "application")


def frame(step: int, title: str, caption: Iterable[str]) -> list[str]:
    """Title, progress and caption of one of the five pictures."""
    dots = [
        f'<circle class="{"dot-on" if n <= step else "dot"}" cx="{820 + 22 * n}" cy="46" r="6"/>'
        for n in range(1, 6)
    ]
    return [
        '<circle class="up" cx="41" cy="46" r="17"/>',
        text(41, 53, str(step), "on digit middle"),
        text(72, 55, title, "title"),
        group(dots),
        *(text(24, 498 + 24 * n, line, "soft") for n, line in enumerate(caption)),
    ]


def browser(lit: set[str], state: str, page: str = "", application: str = "") -> str:
    """The page in the browser: its data, its two kinds of scripts, its state."""
    x, width = BROWSER
    inner = width - 32
    rows = [
        ("page", 142, 64, "page", page or "not there yet", bool(page)),
        ("bootstrap", 218, 88, "bootstrap scripts", "thywill.js, push script", True),
        ("application", 318, 64, "application script", application or "echo.js", True),
    ]
    parts = [
        box(x, TOP, width, BOTTOM - TOP, "panel"),
        *(f'<circle class="dot" cx="{x + 20 + 16 * n}" cy="112" r="5"/>' for n in range(3)),
        box(x + 72, 100, width - 88, 24, "lit-up" if "address" in lit else "card", 12),
        text(x + 86, 117, "/thywill/init/", "code"),
    ]
    for name, y, height, head, words, real in rows:
        way = "lit-down" if name in lit else "card"
        row = [
            box(x + 16, y, inner, height, way),
            text(x + 30, y + 26, head, "head"),
            text(x + 30, y + 48, words, "code" if real and name != "page" else "soft"),
        ]
        if name == "bootstrap":
            row.append(text(x + 30, y + 72, "Orbited.js, stomp.js", "code"))
        parts.append(group(row, away=name not in lit))
    disc = {"connecting": "dot", "live": "down"}.get(state, "dot")
    parts.append(
        group(
            [
                f'<circle class="{disc}" cx="{x + 30}" cy="424" r="7"/>',
                text(x + 46, 429, f"state: {state}" if state else "no connection"),
            ],
            away=not state,
        )
    )
    return group(parts)


def django(lit: set[str], right: Iterable[str] = ()) -> str:
    """Django with the five components, in the order of the bootstrap."""
    x, width = DJANGO
    parts = [
        box(x, TOP, width, DJANGO_END - TOP, "panel"),
        text(x + 18, 118, "Django", "head"),
    ]
    for n, name in enumerate(COMPONENTS):
        y = 132 + 30 * n
        is_lit = name in lit
        parts.append(
            group(
                [
                    box(x + 16, y, 142, 25, "lit-up" if is_lit else "card", 6),
                    text(x + 28, y + 17.5, name, "chip"),
                ],
                away=not is_lit,
            )
        )
    return group([*parts, *right])


def servers(*, lit: bool, topic: bool = False) -> str:
    """Orbited and MorbidQ."""
    parts = []
    for (x, width), name, words in (
        (ORBITED, "Orbited", ("the Comet server:", "a socket for JavaScript")),
        (MORBID, "MorbidQ", ("the STOMP broker",)),
    ):
        parts += [
            box(x, BROKER_TOP, width, BOTTOM - BROKER_TOP, "lit-up" if lit else "panel"),
            text(x + 16, BROKER_TOP + 30, name, "head"),
            *(
                text(x + 16, BROKER_TOP + 54 + 19 * n, line, "soft small")
                for n, line in enumerate(words)
            ),
        ]
    if topic:
        parts += [
            text(MORBID[0] + 16, BROKER_TOP + 82, "this client's topic", "small"),
            text(MORBID[0] + 16, BROKER_TOP + 101, "one subscriber", "small down"),
        ]
    return group(parts, away=not lit)


def step_1() -> str:
    """The request."""
    x = DJANGO[0] + 178
    facts = (("uuid", "7f3a…c2"), ("session", "a cookie"), ("token", "signed"))
    right = [
        box(x, 132, 182, 115, "lit-up"),
        text(x + 14, 158, "a new client", "head"),
        *(text(x + 14, 184 + 24 * n, name, "soft") for n, (name, _) in enumerate(facts)),
        *(text(x + 82, 184 + 24 * n, value) for n, (_, value) in enumerate(facts)),
    ]
    return picture(
        "Bootstrap, picture 1 of 5: the browser asks for the page",
        "The browser sends GET /thywill/init/ to Django. Django finds or makes the session and"
        " gives this page load a new client uuid and a signed token. Orbited and MorbidQ do"
        " nothing yet.",
        [
            *frame(
                1,
                "The browser asks for the page",
                (
                    "Each page load is one client with a uuid of its own: two tabs of one session"
                    " are two clients.",
                    "Nothing is stored for it; the signed token proves later on that the uuid is"
                    " its own.",
                ),
            ),
            browser({"address"}, ""),
            django({"client interface"}, right),
            servers(lit=False),
            arrow("M332 148 H550"),
            text(441, 138, "GET /thywill/init/", "code middle up"),
        ],
    )


def step_2() -> str:
    """The contributions."""
    x = DJANGO[0] + 176
    keys = (
        "uuid",
        "bootstrap_resources",
        "bootstrap_parameters",
        "application_resources",
        "application_parameters",
    )
    right = [
        box(x, 132, 190, 145, "lit-up"),
        *(text(x + 10, 153 + 28.5 * n, key, "code small") for n, key in enumerate(keys)),
        *(
            text(DJANGO[0] + 148, 149 + 30 * n, str(n + 1), "small up end")
            for n in range(len(COMPONENTS))
        ),
        *(f'<path class="arrow-up" d="M{x - 18} {144.5 + 30 * n} h7"/>' for n in range(5)),
        f'<path class="arrow-up" d="M{x - 11} 143.4 V265.6"/>',
        arrow(f"M{x - 11} 204.5 H{x - 1}"),
    ]
    return picture(
        "Bootstrap, picture 2 of 5: every component contributes",
        "Inside Django the five components log, database, push, client interface and application"
        " add, in this order, parameters and scripts to one client configuration with the keys"
        " uuid, bootstrap_resources, bootstrap_parameters, application_resources and"
        " application_parameters.",
        [
            *frame(
                2,
                "Every component contributes",
                (
                    "In fixed order, the application last so that it sees the rest. The push"
                    " component adds its script",
                    "and a ticket: a short-lived signed token that opens this client's topic and"
                    " nothing else.",
                ),
            ),
            browser(set(), ""),
            django(set(COMPONENTS), right),
            servers(lit=False),
            text(441, 196, "one configuration", "middle"),
            text(441, 216, "for one client", "middle"),
        ],
    )


def step_3() -> str:
    """The page."""
    return picture(
        "Bootstrap, picture 3 of 5: one page, two kinds of scripts",
        "Django answers with the page, which holds the configuration as JSON. The bootstrap"
        " scripts come first and know how to connect; the application script comes second, sets up"
        " its display and its callbacks, and leaves a function. Then connecting begins.",
        [
            *frame(
                3,
                "One page, two kinds of scripts",
                (
                    "The bootstrap's scripts come first: they know how to connect. The"
                    " application's come second: they build",
                    "their page, set callbacks, and leave a function to be called when all is"
                    " ready. Then connecting begins.",
                ),
            ),
            browser(
                {"address", "page", "bootstrap", "application"},
                "connecting",
                page="HTML, configuration as JSON",
            ),
            django({"client interface"}),
            servers(lit=False),
            arrow("M550 174 H332", "down"),
            text(441, 164, "200, the page", "middle down"),
            arrow("M550 262 H332", "down"),
            text(441, 252, "static files, in order", "middle down"),
            text(441, 338, "thywill.application.fn", "code middle"),
            text(441, 358, "is set, not called yet", "middle soft"),
        ],
    )


def step_4() -> str:
    """The push connection."""
    frames = (
        ("CONNECT  ticket", "up"),
        ("CONNECTED", "down"),
        ("SUBSCRIBE  receipt", "up"),
        ("RECEIPT", "down"),
    )
    parts = []
    for n, (words, way) in enumerate(frames):
        y = 352 + 32 * n
        path = f"M332 {y} H550" if way == "up" else f"M550 {y} H332"
        parts += [arrow(path, way), text(441, y - 7, words, f"code middle {way}")]
    return picture(
        "Bootstrap, picture 4 of 5: the push connection is opened and confirmed",
        "The bootstrap scripts open a connection to Orbited, over WebSocket, XHR streaming or long"
        " polling. Through it they speak STOMP with MorbidQ: CONNECT with the ticket is answered"
        " by CONNECTED, SUBSCRIBE with a receipt is answered by RECEIPT.",
        [
            *frame(
                4,
                "The push connection is opened and confirmed",
                (
                    "Orbited carries bytes between the page and MorbidQ; MorbidQ checks the"
                    " ticket before it lets anyone in.",
                    "Only the RECEIPT completes the bootstrap: from here on what is pushed to this"
                    " client has a listener.",
                ),
            ),
            browser({"address", "bootstrap"}, "connecting", page="HTML, configuration as JSON"),
            django(set()),
            servers(lit=True, topic=True),
            text(441, 300, "WebSocket, XHR stream", "middle small soft"),
            text(441, 317, "or long poll", "middle small soft"),
            *parts,
            arrow("M734 384 H762"),
            arrow("M762 414 H734", "down"),
        ],
    )


def step_5() -> str:
    """The application at work."""
    return picture(
        "Bootstrap, picture 5 of 5: the application runs",
        "thywill calls the function that the application left. Its messages go up by POST"
        " /thywill/send/ to Django and its application; what the application sends goes to the"
        " client's topic in MorbidQ over one lasting STOMP connection, through Orbited, and down"
        " to thywill.push.onReceipt in the page.",
        [
            *frame(
                5,
                "The application runs",
                (
                    "thywill calls the function that was left, and the state is live. From now on"
                    " messages go up by POST (1),",
                    "to the application (2), to the client's topic (3), and down the open"
                    " connection (4, 5).",
                ),
            ),
            browser(
                {"address", "application"},
                "live",
                page="HTML, configuration as JSON",
                application="fn(), onReceipt(message)",
            ),
            django({"client interface", "application", "push"}),
            servers(lit=True, topic=True),
            arrow("M340 234 H574"),
            text(452, 224, "POST /thywill/send/", "code middle up"),
            number(344, 234, 1),
            arrow("M720 236 C748 240 748 258 722 263"),
            number(752, 251, 2),
            arrow("M720 208 C830 206 850 250 850 332"),
            number(846, 262, 3),
            text(836, 317, "one lasting STOMP connection", "small soft end"),
            arrow("M762 400 H734", "down"),
            number(748, 376, 4, "down"),
            arrow("M544 400 H332", "down"),
            text(441, 390, "MESSAGE", "code middle down"),
            number(541, 400, 5, "down"),
        ],
    )


def window(y: float) -> str:
    """A small browser."""
    return group(
        [
            box(24, y, 190, 88, "panel"),
            *(f'<circle class="dot" cx="{42 + 14 * n}" cy="{y + 17}" r="4.5"/>' for n in range(3)),
            text(40, y + 49, "a browser", "head"),
            text(40, y + 70, "your page, JavaScript", "soft small"),
        ]
    )


def shape() -> str:
    """The whole system."""
    chips = ("client interface", "application", "database", "log", "push")
    widths = (128, 98, 84, 48, 56)
    parts = [
        *(window(40 + 104 * n) for n in range(3)),
        box(420, 24, 516, 336, "enclosure", 16),
        text(
            440,
            51,
            "one process with ./run; or two: Django, and Orbited with MorbidQ",
            "soft small",
        ),
        box(440, 66, 476, 132, "panel"),
        text(458, 94, "Django and thywill_server", "head"),
        text(458, 117, "five components, each chosen in settings.py", "soft small"),
        box(440, 226, 226, 112, "panel"),
        text(458, 256, "Orbited", "head"),
        text(458, 279, "a TCP socket for", "soft small"),
        text(458, 297, "JavaScript", "soft small"),
        box(710, 226, 206, 112, "panel"),
        text(728, 256, "MorbidQ", "head"),
        text(728, 279, "the STOMP broker,", "soft small"),
        text(728, 297, "checks every ticket", "soft small"),
    ]
    x = 452
    for chip, width in zip(chips, widths, strict=True):
        yours = chip == "application"
        parts += [
            box(x, 136, width, 44, "lit-down" if yours else "card", 8),
            text(x + width / 2, 155 if yours else 163, chip, "small middle"),
        ]
        if yours:
            parts.append(text(x + width / 2, 172, "your Python", "small middle down"))
        x += width + 8
    parts += [
        arrow("M226 122 H432"),
        text(328, 112, "POST /thywill/send/", "code small middle up"),
        text(328, 141, "messages up", "small middle soft"),
        arrow("M432 276 H226", "down"),
        text(328, 248, "WebSocket, XHR stream", "small middle down"),
        text(328, 265, "or long poll", "small middle down"),
        text(328, 297, "messages down", "small middle soft"),
        arrow("M862 182 V222"),
        text(854, 216, "one lasting STOMP connection", "small end up"),
        arrow("M708 282 H670", "down"),
    ]
    return picture(
        "The shape of the system",
        "Browsers send messages up by POST /thywill/send/ to Django, where thywill_server hands"
        " them to your application. What the application sends goes over one lasting STOMP"
        " connection to the broker MorbidQ, from there to the Comet server Orbited, and down to"
        " the browsers over WebSocket, XHR streaming or long polling. Django, Orbited and MorbidQ"
        " run in one process or in two.",
        parts,
        height=384,
    )


PICTURES = {
    "bootstrap-1.svg": step_1,
    "bootstrap-2.svg": step_2,
    "bootstrap-3.svg": step_3,
    "bootstrap-4.svg": step_4,
    "bootstrap-5.svg": step_5,
    "shape.svg": shape,
}


def main(folder: Path) -> None:
    """Write every picture."""
    for name, draw in PICTURES.items():
        (folder / name).write_text(draw(), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent)
