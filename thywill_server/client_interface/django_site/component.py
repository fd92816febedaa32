"""The client interface as a component: its settings, and what it tells a page."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from django.conf import settings as django_settings
from django.core.cache import caches
from django.templatetags.static import static
from django.urls import reverse

from thywill_server import signals
from thywill_server.client import Client
from thywill_server.client_configuration import ClientConfiguration
from thywill_server.client_interface.base import ClientInterfaceComponent
from thywill_server.client_interface.django_site.recent_errors import RecentErrors
from thywill_server.client_interface.django_site.recent_replies import Answer, RecentReplies
from thywill_server.client_interface.django_site.shared_replies import SharedReplies
from thywill_server.component import Component, Problem, Setting
from thywill_server.connections.settings import SETTINGS as CONNECTION_SETTINGS


class DjangoSite(ClientInterfaceComponent):
    """Serves ``/thywill/...`` from Django: see ``urls.py`` for the addresses."""

    SETTINGS: ClassVar[Mapping[str, Setting]] = {
        "max_message_bytes": Setting(
            kind="int",
            help="The largest body of a POST, in bytes; a larger one is not read and is refused "
            "with message-too-large.",
            default=65_536,
            minimum=1_024,
        ),
        "max_message_depth": Setting(
            kind="int",
            help="How deep lists and objects may be nested in a message; a deeper one is refused "
            "with malformed-message.",
            default=32,
            minimum=1,
            maximum=100,
        ),
        "max_remembered_clients": Setting(
            kind="int",
            help="Of how many clients the last replies are kept, for pages that repeat a message "
            "because its reply got lost; the client unheard of for longest is forgotten first.",
            default=5_000,
            minimum=1,
        ),
        "max_remembered_bytes": Setting(
            kind="int",
            help="How many bytes of replies are kept for that; beyond it, clients are forgotten.",
            default=8_388_608,
            minimum=0,
        ),
        "repeat_wait_seconds": Setting(
            kind="float",
            help="How long a repeated message waits for the first one, which is still being "
            "handled, before it is answered with still-handling.",
            default=10.0,
            minimum=0,
        ),
        "replies_cache": Setting(
            kind="str",
            help="For a site of several processes: which of Django's CACHES remembers, for all of "
            "them, what was answered, so that a repeated message is handled once wherever it "
            "arrives. Empty: each process remembers its own.",
            default="",
        ),
        "replies_cache_seconds": Setting(
            kind="float",
            help="How long it is remembered there; a page repeats a message for a minute.",
            default=120.0,
            minimum=1,
            maximum=86_400,
        ),
        "health_details": Setting(
            kind="bool",
            help="Whether /thywill/health/ tells strangers what each component says, not only "
            "whether it works; under DEBUG it always does.",
            default=False,
        ),
        "index": Setting(
            kind="bool",
            help="Whether the root of the site lists its applications; otherwise it leads to the "
            "default one. A page of the site's own there is an address before those of thywill.",
            default=True,
        ),
        "debug_overlay": Setting(
            kind="bool",
            help="Whether pages have, under DEBUG, a badge that opens what their author wants to "
            "know: state, transport, channels, and the last errors with their tracebacks.",
            default=True,
        ),
        **CONNECTION_SETTINGS,
    }

    def __init__(self, settings: Mapping[str, Any], **collaborators: Component) -> None:
        super().__init__(settings, **collaborators)
        self.errors = RecentErrors()
        if not self.settings_problems(settings):
            self.replies = RecentReplies(
                max_clients=self.settings["max_remembered_clients"],
                max_bytes=self.settings["max_remembered_bytes"],
                wait_seconds=self.settings["repeat_wait_seconds"],
            )

    def check(self) -> list[str]:
        """Compare with Django's own bound too: it is the one that would be hit first."""
        problems = super().check()
        allowed = django_settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        wanted = self.settings["max_message_bytes"]
        if allowed is not None and wanted > allowed:
            problems.append(
                Problem(
                    f"{self.setting_name('max_message_bytes')}: expected at most what Django "
                    f"reads, DATA_UPLOAD_MAX_MEMORY_SIZE, which is {allowed}; got {wanted}"
                )
            )
        alias = self.settings["replies_cache"]
        if alias and alias not in django_settings.CACHES:
            known = ", ".join(f'"{name}"' for name in django_settings.CACHES)
            sentence = f"expected one of CACHES ({known}), got {alias!r}"
            problems.append(Problem(f"{self.setting_name('replies_cache')}: {sentence}"))
        return problems

    def answer_once(
        self, client_uuid: str, message_id: str | None, handle: Callable[[], Answer]
    ) -> Answer:
        """Give the answer to a message, calling ``handle`` if it was not handled before.

        Raises:
            Refusal: ``still-handling``, when it is being handled and takes too long.
        """
        if message_id is None or not self.settings["replies_cache"]:
            return self.replies.answer(client_uuid, message_id, handle)
        shared = SharedReplies(
            caches[self.settings["replies_cache"]],
            keep_seconds=self.settings["replies_cache_seconds"],
            wait_seconds=self.settings["repeat_wait_seconds"],
        )
        return self.replies.answer(
            client_uuid, message_id, lambda: shared.answer(client_uuid, message_id, handle)
        )

    def start(self) -> None:
        """Hear of what fails outside of requests, for the overlay."""
        super().start()
        signals.application_failed.connect(self._note_failure)

    def stop(self) -> Any:
        """Hear no more."""
        signals.application_failed.disconnect(self._note_failure)
        return super().stop()

    def _note_failure(self, client: Client, what: str, error: Exception, **_: Any) -> None:
        if self.has_overlay:  # which session the page belongs to is not known here
            self.errors.note(client.uuid, what, error)

    @property
    def has_overlay(self) -> bool:
        """Whether pages may see tracebacks: their author's own machine only."""
        return django_settings.DEBUG and bool(self.settings["debug_overlay"])

    def new_configuration(self, client: Client) -> ClientConfiguration:
        """Begin with the framework's own script, before those of every component."""
        configuration = ClientConfiguration(client.uuid, resolve_path=static)
        configuration.add_bootstrap_script("thywill/thywill.js")
        return configuration

    def bootstrap_client(self, client: Client, configuration: ClientConfiguration) -> None:
        """Tell the page where to send what."""
        for name, value in (
            ("channel", client.uuid),
            ("application", client.application),
            ("send_path", reverse("thywill:send")),
            ("send_data_type", "json"),
            ("ticket_path", reverse("thywill:ticket")),
            ("channel_path", reverse("thywill:channel")),
            ("csrf_path", reverse("thywill:csrf")),
            ("push_path", reverse("thywill:push")),
            ("static_path", django_settings.STATIC_URL.rstrip("/")),
        ):
            configuration.set_bootstrap_parameter(name, value)
        if not self.push.reports_connections:
            lease = {
                "path": reverse("thywill:lease"),
                "seconds": self.settings["lease_seconds"] / 3,
            }
            configuration.set_bootstrap_parameter("lease", lease)
        if self.has_overlay:
            configuration.set_bootstrap_parameter("debug_path", reverse("thywill:debug"))
            configuration.add_bootstrap_script("thywill/debug.js")
