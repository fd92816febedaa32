"""Django signals about clients and their messages.

=====================  ============================================================================
``client_connected``   a page has connected: ``client``
``client_disconnected``  a page has gone: ``client``
``message_received``   a page's message is about to be handled: ``client``, ``message``
``message_published``  a message is on its way to browsers: ``destination``, ``message``
``application_failed``  a function of an application raised outside of a request, as those of
                       ``on_connect`` do: ``client``, ``what``, ``error``
=====================  ============================================================================

The sender is the class of the component: the push component's for ``message_published``, the
application's for all others. A receiver that raises is logged and hinders nobody. Who comes and who
goes, and what fails then, is told in a thread of its own, outside of any request, once for all
processes of a site; the others come in the thread that handles or publishes, which is an event
loop's for an ``async`` handler. Who publishes inside a transaction is heard of after its commit.
"""

from __future__ import annotations

from typing import Any

from django.dispatch import Signal

__all__ = [
    "application_failed",
    "client_connected",
    "client_disconnected",
    "message_published",
    "message_received",
]

client_connected = Signal()
client_disconnected = Signal()
message_received = Signal()
message_published = Signal()
application_failed = Signal()


def tell(signal: Signal, sender: type, **arguments: Any) -> None:
    """Send a signal; Django logs a receiver that raises, which hinders nobody."""
    if signal.receivers:
        signal.send_robust(sender, **arguments)
