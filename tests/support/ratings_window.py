"""``manage.py ratings --window``, with somebody at the desk: reads what to do, a line each.

``topic TEXT`` and ``say TEXT`` are done in the window, ``close`` closes it; what a page says is
printed when the window shows it.
"""

from __future__ import annotations

import sys
import threading
from typing import Any


def obey(ui: Any, reactor: Any) -> None:
    """Do what comes on stdin, in the reactor's thread."""
    desk = ui.context["object"]
    desk.observe(lambda _: print(f"shown: {desk.said}", flush=True), "said")  # noqa: T201

    def do(line: str) -> None:
        word, _, text = line.strip().partition(" ")
        if word == "topic":
            desk.model.topic = text
        elif word == "say":
            desk.entry_field = text
            desk.add = True
        elif word == "close":
            ui.control.close()

    def read() -> None:
        for line in sys.stdin:
            reactor.callFromThread(do, line)

    threading.Thread(target=read, daemon=True).start()


def main() -> None:
    """Run the command."""
    import django
    from django.core.management import call_command

    django.setup()
    from thywill_apps.ratings import window

    open_window = window.open_window

    def open_and_obey(model: Any, on_close: Any) -> Any:
        from twisted.internet import reactor

        ui = open_window(model, on_close)
        obey(ui, reactor)
        return ui

    window.open_window = open_and_obey
    call_command("ratings", *sys.argv[1:])


if __name__ == "__main__":
    main()
