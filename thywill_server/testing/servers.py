"""Orbited and MorbidQ inside the process of the tests, on free ports of this machine.

::

    test's thread     page --POST--> Django          (the views, by Django's test client)
                       ^                \\
                       |                 push component
    reactor's thread   +--- Orbited <--- MorbidQ <--+

They are started with the first virtual browser, and again when the setting ``THYWILL`` is another
one. Whatever broker the settings name, a test never talks to it.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from django.core.signals import setting_changed
from twisted.internet.defer import Deferred, DeferredList, maybeDeferred
from twisted.web.pages import notFound

from thywill_server import apps, reactor_bridge
from thywill_server.components import import_dotted
from thywill_server.testing.comet import Place
from thywill_server.testing.following import FollowedConnections
from thywill_server.testing.loop import Loop
from thywill_server.testing.quiet import Quiet

if TYPE_CHECKING:
    from thywill_server.components import Components

__all__ = ["Servers", "servers"]

HOST = "127.0.0.1"
START_SECONDS = 10.0
STOP_SECONDS = 5.0


class Servers:
    """What a site under test needs beside Django.

    Attributes:
        loop: of all virtual browsers.
        components: the site's.
        place: of Orbited; None where push does without.
    """

    def __init__(self) -> None:
        self.process_id = os.getpid()
        self.loop = Loop()
        self.place: Place | None = None
        self.following: FollowedConnections | None = None
        self._listening: list[Any] = []
        self._broker: Any = None
        self._comet: Any = None
        self._wait_for(apps.stop_components())
        self.components = apps.components()
        push: Any = self.components.push
        if hasattr(push, "embedding"):
            _use_own_broker(push)
            reactor_bridge.call_and_wait(self._listen, push, timeout_seconds=START_SECONDS)
        apps.follow_by(self._follow)
        self._quiet = Quiet()
        self._quiet.begin()
        apps.start_serving()

    def stop(self) -> None:
        """End everything."""
        apps.follow_by(None)
        self._quiet.end()
        if self._listening:
            reactor_bridge.call_and_wait(self._stop_listening, timeout_seconds=STOP_SECONDS)
        self.loop.close()

    def _follow(self, components: Components) -> FollowedConnections:
        self.following = FollowedConnections(components, self.loop)
        self.following.start()
        return self.following

    def _wait_for(self, waiting: list[Any]) -> None:
        if waiting:
            reactor_bridge.call_and_wait(
                lambda: DeferredList(waiting, consumeErrors=True), timeout_seconds=STOP_SECONDS
            )

    # In the reactor thread.

    def _listen(self, push: Any) -> None:
        embedding = push.embedding()
        self._broker = import_dotted(embedding.broker)(embedding.broker_options)
        port = self._listen_with(self._broker)
        given: Mapping[str, Any] = embedding.comet_options
        options = {
            **given,
            "access": [f"* -> {HOST}:{port}"],
            "http": {**given.get("http", {}), "hosts": [HOST]},
            "limits": {**given.get("limits", {}), "drain_seconds": 0},
        }
        self._comet = import_dotted(embedding.comet)(options, {(HOST, port): self._broker})
        site = self._comet.site(notFound(), embedding.url)
        self.place = Place(HOST, self._listen_with(site), embedding.url)
        self._comet.service.startService()
        push.use_embedded(port, self._comet.health)

    def _listen_with(self, factory: Any) -> int:
        factory.noisy = False
        listening = reactor_bridge.get_reactor().listenTCP(0, factory, interface=HOST)
        self._listening.append(listening)
        number: int = listening.getHost().port
        return number

    def _stop_listening(self) -> Deferred[Any]:
        steps = [maybeDeferred(self._comet.service.stopService)]
        steps += [maybeDeferred(listening.stopListening) for listening in self._listening]
        if hasattr(self._broker, "shutdown"):
            steps.append(maybeDeferred(self._broker.shutdown))
        return DeferredList(steps, consumeErrors=True)


def _use_own_broker(push: Any) -> None:
    """Turn away from the broker of the settings, with its accounts, to one that is started here."""
    default = push.SETTINGS["broker"].default
    push.settings["broker"] = push.settings["broker"] or default
    push.settings.update(stomp_host=HOST, stomp_login="", stomp_passcode="")


_current: Servers | None = None


def servers() -> Servers:
    """Give the servers of the site as it is configured now, starting them if need be."""
    global _current
    if _current is not None and _current.process_id != os.getpid():
        _current = None  # a parent's, before a fork
    if _current is not None and apps.components() is not _current.components:
        _stop_current()
    if _current is None:
        _current = Servers()
        setting_changed.connect(_on_setting_changed, dispatch_uid="thywill.testing")
    return _current


def _stop_current() -> None:
    global _current
    if _current is not None:
        ending, _current = _current, None
        ending.stop()


def _on_setting_changed(*, setting: str, **_: Any) -> None:
    if setting == "THYWILL":
        _stop_current()
