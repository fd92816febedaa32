"""The contract of client interfaces: pages out, messages in.

A complete one has nothing to add to what the other components say::

    class Silent(ClientInterfaceComponent):
        pass
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, cast

from thywill_server.client_configuration import ClientConfiguration
from thywill_server.component import Component

if TYPE_CHECKING:
    from thywill_server.application.base import ApplicationComponent
    from thywill_server.client import Client
    from thywill_server.push.base import PushComponent

BOOTSTRAP_ORDER = ("log", "database", "push", "client_interface", "application")
"""The order in which components add to a page; the application is last and sees the rest."""


class ClientInterfaceComponent(Component):
    """Serves pages to browsers, knows who they are, and hands their messages to the application."""

    SECTION: ClassVar[str] = "client_interface"

    @property
    def application(self) -> ApplicationComponent:
        """The application component, which takes the messages."""
        return cast("ApplicationComponent", self.collaborators["application"])

    @property
    def push(self) -> PushComponent:
        """The push component, which gives tickets."""
        return cast("PushComponent", self.collaborators["push"])

    def create_client_configuration(self, client: Client) -> ClientConfiguration:
        """Gather what one page is told, from every component in `BOOTSTRAP_ORDER`."""
        configuration = self.new_configuration(client)
        for name in BOOTSTRAP_ORDER:
            component = self if name == "client_interface" else self.collaborators[name]
            component.bootstrap_client(client, configuration)
        return configuration

    def new_configuration(self, client: Client) -> ClientConfiguration:
        """Give an empty configuration; override it to say how static paths become URLs."""
        return ClientConfiguration(client.uuid)
