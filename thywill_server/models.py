"""The tables of thywill, where Django looks for them."""

from thywill_server.database.models import Channel, ChannelMessage, State

__all__ = ["Channel", "ChannelMessage", "State"]
