"""A second implementation of the client interface, for a test that swaps it."""

from __future__ import annotations

from thywill_server.client import Client
from thywill_server.client_configuration import ClientConfiguration
from thywill_server.client_interface.django_site.component import DjangoSite


class AnotherSite(DjangoSite):
    """Django's site that says in each page which one it is."""

    def create_client_configuration(self, client: Client) -> ClientConfiguration:
        """Say it."""
        configuration = super().create_client_configuration(client)
        configuration.set_bootstrap_parameter("interface", "another")
        return configuration
