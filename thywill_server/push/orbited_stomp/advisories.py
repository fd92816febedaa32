"""What the broker tells about connections: morbid's advisories, read and handed on.

::

    broker --/queue/thywill.advisories--> one site process --Report--> thywill_server.connections
      ^                                           |
      +---- /queue/thywill.control <--------------+   report-logins, whenever it is connected anew

The advisories come over a queue, so that each is one process's; it is acknowledged once it has
taken effect, and told to another process if that one ends before.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final, cast, get_args

from thywill_server import reactor_bridge
from thywill_server.connections.base import Login, Report, Reporting, ReportKind
from thywill_server.errors import PushUnavailable

if TYPE_CHECKING:
    from stompservice.protocol.frame import Frame
    from stompservice.service import StompClientService
    from stompservice.subscription import Subscription

__all__ = ["Advisories", "AdvisoryError", "read_advisory"]

log = logging.getLogger(__name__)

SILENCE_SECONDS: Final = 10.0
"""So long after it was asked, a broker that has told nothing is taken to be one that never does."""


RETRY_SECONDS: Final = 1.0
"""When it could not be asked, it is asked again."""


class AdvisoryError(ValueError):
    """The body of an advisory is not as morbid writes it; the text says what is wrong."""


class Advisories:
    """Listens to advisories over the site's connection; its methods run in the reactor thread.

    Args:
        destination: where they come.
        ask: sends the question who is there.
        own_login: the site's, whose connections are nobody's business.
        where: how log messages name the setting.
    """

    def __init__(
        self, destination: str, ask: Callable[[], object], own_login: str, where: str
    ) -> None:
        self._destination, self._ask, self._own_login = destination, ask, own_login
        self._where = where
        self._subscription: Subscription | None = None
        self._service: StompClientService | None = None
        self._last_broker: str | None = None
        self._silence: Any = None
        self.report: Reporting | None = None

    @property
    def live_broker(self) -> str | None:
        """The broker that the site is connected to, once it has told something; in any thread."""
        service = self._service
        is_connected = service is not None and service.is_connected
        return self._last_broker if is_connected else None

    def attach(self, service: StompClientService) -> None:
        """Begin to listen, over all connections of a service."""
        self._service = service
        self._subscription = service.subscribe(
            self._destination, self._receive, ack="client-individual"
        )
        service.on_live = self._on_live
        if service.is_connected:
            self._on_live()

    def detach(self) -> None:
        """Listen no more; what was not acknowledged is told to others."""
        if self._subscription is not None:
            self._subscription.unsubscribe()
            self._subscription = None
        if self._service is not None:
            self._service.on_live = None
        self._forget_silence()

    def _on_live(self) -> None:
        self._last_broker = None
        self._ask_the_broker()

    def _ask_the_broker(self) -> None:
        self._forget_silence()
        later = reactor_bridge.get_reactor().callLater
        try:
            self._ask()
        except PushUnavailable as problem:  # the site stops, or much waits to be pushed
            log.info("the broker is not asked who is there: %s", problem)
            self._silence = later(RETRY_SECONDS, self._ask_again)
        else:
            self._silence = later(SILENCE_SECONDS, self._warn_of_silence)

    def _ask_again(self) -> None:
        self._silence = None
        if self._service is not None and self._service.is_connected:
            self._ask_the_broker()

    def _warn_of_silence(self) -> None:
        self._silence = None
        if self._service is not None and self._service.is_connected:
            log.warning(
                "%s: the broker has reported no connections to this process yet; a broker that "
                "cannot needs an empty text there",
                self._where,
            )

    def _forget_silence(self) -> None:
        if self._silence is not None:
            self._silence.cancel()
            self._silence = None

    def _receive(self, frame: Frame) -> None:
        subscription, report_to = self._subscription, self.report
        if subscription is None or report_to is None:
            return

        def acknowledge() -> None:
            subscription.ack(frame)

        try:
            report = read_advisory(frame.body, self._own_login)
        except AdvisoryError as error:
            log.warning("an advisory cannot be read: %s", error)
            acknowledge()
            return
        self._last_broker = report.broker
        self._forget_silence()
        if report.login is not None and report.login.client_uuid == self._own_login:
            acknowledge()
            return
        report_to(report, lambda: reactor_bridge.call(acknowledge))


def read_advisory(body: bytes, own_login: str) -> Report:
    """Read the body of an advisory; logins of the site itself are left out of lists.

    Raises:
        AdvisoryError: it is none.
    """
    try:
        told = json.loads(body)
        kind = told["event"]
        if kind not in get_args(ReportKind):
            raise AdvisoryError(f"unknown event {kind!r:.40}")
        broker, sequence = _text(told, "broker"), _number(told, "sequence")
        if kind != "logins":
            return Report(
                kind=cast("ReportKind", kind),
                broker=broker,
                sequence=sequence,
                login=_login(told),
                destination=_text(told, "destination") if "destination" in told else "",
            )
        logins = [_login(each) for each in told["logins"]]
        return Report(
            kind="logins",
            broker=broker,
            sequence=sequence,
            logins=tuple(each for each in logins if each.client_uuid != own_login),
            after=None if told["after"] is None else _text(told, "after"),
            until=None if told["until"] is None else _text(told, "until"),
            next_connection=_number(told, "next_connection"),
        )
    except AdvisoryError:
        raise
    except (ValueError, TypeError, LookupError, AttributeError) as error:
        raise AdvisoryError(f"{type(error).__name__}: {error}") from None


def _login(told: Mapping[str, Any]) -> Login:
    about = told.get("about") or {}
    return Login(
        client_uuid=_text(told, "login"),
        connection=_number(told, "connection"),
        session=told["session"] if isinstance(told["session"], str) else "",
        about={str(name): str(value) for name, value in about.items()},
        destinations=tuple(str(each) for each in told.get("destinations", ())),
    )


def _text(told: Mapping[str, Any], name: str) -> str:
    value = told[name]
    if not isinstance(value, str):
        raise AdvisoryError(f"{name}: expected text, got {value!r:.40}")
    return value


def _number(told: Mapping[str, Any], name: str) -> int:
    value = told[name]
    if type(value) is not int or value < 0:
        raise AdvisoryError(f"{name}: expected a number, got {value!r:.40}")
    return value
