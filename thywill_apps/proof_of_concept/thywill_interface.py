"""The server side of the echo, in two functions."""

from thywill_server.application import ClientConfiguration, send_message_to_client


def message_from_client(uuid: str, raw_message: str) -> None:
    """Take a message of one page, and push it back to that page."""
    send_message_to_client(uuid, raw_message)


def bootstrap_client(uuid: str, configuration: ClientConfiguration) -> None:
    """Say what the page consists of."""
    configuration.set_application_parameter("title", "Echo")
    configuration.set_application_template("proof_of_concept/echo.html")
    configuration.add_application_stylesheet("thywill/look.css")
    configuration.add_application_stylesheet("proof_of_concept/echo.css")
    configuration.add_application_stylesheet("proof_of_concept/trips.css")
    configuration.add_application_script("thywill/connection.js")
    configuration.add_application_script("proof_of_concept/echo.js")
