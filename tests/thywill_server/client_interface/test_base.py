"""The bootstrap: every component adds to one page, in one order."""

from typing import Any

from tests.support.recording import PlainInterface
from thywill_server.client import Client
from thywill_server.client_configuration import ClientConfiguration
from thywill_server.client_interface.base import BOOTSTRAP_ORDER
from thywill_server.component import Component


class Signs(Component):
    """Adds its name."""

    def __init__(self, name: str) -> None:
        super().__init__({})
        self.name = name

    def bootstrap_client(self, client: Client, configuration: ClientConfiguration) -> None:
        """Add a script with this component's name."""
        configuration.add_bootstrap_script(f"/{self.name}.js")


class SigningInterface(PlainInterface):
    """Adds its name as well, and knows where static files are."""

    def bootstrap_client(self, client: Client, configuration: ClientConfiguration) -> None:
        """Add a relative script."""
        configuration.add_bootstrap_script("client_interface.js")

    def new_configuration(self, client: Client) -> ClientConfiguration:
        """Resolve static files against the root."""
        return ClientConfiguration(client.uuid, resolve_path=lambda path: f"/{path}")


def test_components_add_in_bootstrap_order() -> None:
    """Log, database, push, client interface; the application last, so that it sees the rest."""
    others: dict[str, Any] = {
        name: Signs(name) for name in BOOTSTRAP_ORDER if name != "client_interface"
    }
    interface = SigningInterface({}, **others)
    configuration = interface.create_client_configuration(Client("u-1", None, None, "echo"))
    assert configuration.uuid == "u-1"
    assert [resource["resource"] for resource in configuration.bootstrap_resources] == [
        "/log.js",
        "/database.js",
        "/push.js",
        "/client_interface.js",
        "/application.js",
    ]
