"""The tables of thywill, where Django looks for them."""

from thywill_server.database.client_models import BrokerLease, ConnectedClient, Member, Presence
from thywill_server.database.models import Channel, ChannelMessage, State

__all__ = [
    "BrokerLease",
    "Channel",
    "ChannelMessage",
    "ConnectedClient",
    "Member",
    "Presence",
    "State",
]
