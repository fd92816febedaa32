"""What holds for every client interface."""

import json

from thywill_server.client import Client
from thywill_server.client_interface.base import ClientInterfaceComponent
from thywill_server.component import Component

SECTION = "client_interface"

CLIENT = Client("6e1a4d1e-6c4f-4a37-8f6e-0a4f5a3b2c1d", "session", None, "proof_of_concept")


def test_the_page_is_told_the_five_keys(component: Component) -> None:
    """Old pages find what they know, and the client's own uuid."""
    assert isinstance(component, ClientInterfaceComponent)
    told = component.create_client_configuration(CLIENT).to_dict()
    assert list(told) == [
        "uuid",
        "bootstrap_resources",
        "bootstrap_parameters",
        "application_resources",
        "application_parameters",
    ]
    assert told["uuid"] == told["bootstrap_parameters"]["channel"] == CLIENT.uuid
    assert json.loads(json.dumps(told)) == told


def test_the_page_knows_where_to_send(component: Component) -> None:
    """The original parameters are there."""
    assert isinstance(component, ClientInterfaceComponent)
    parameters = component.create_client_configuration(CLIENT).bootstrap_parameters
    assert parameters["send_path"].startswith("/")
    assert parameters["send_data_type"] == "json"
    assert parameters["static_path"].startswith("/")
    assert parameters["application_package"] == "thywill_apps.proof_of_concept"


def test_paths_of_an_application_become_addresses(component: Component) -> None:
    """An author writes a static file's relative path; the page reads a URL."""
    assert isinstance(component, ClientInterfaceComponent)
    told = component.create_client_configuration(CLIENT).to_dict()
    addresses = [resource["resource"] for resource in told["application_resources"]]
    assert addresses
    assert all("/" in address and not address.startswith("proof") for address in addresses)
    assert told["application_parameters"]["title"] == "Echo"
