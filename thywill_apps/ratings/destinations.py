"""Where site, pages and the model's process meet at the broker."""

from typing import Final

CHANNEL_IN: Final = "/queue/thywill.application.ratings"
"""What pages say: the site puts it here, and the process replies to each."""

CHANNEL_CONTROL: Final = "/queue/thywill.application.ratings.control"
"""Who has come (``connected``) and gone (``disconnected``)."""

MODEL: Final = "model"
"""The channel that every page joins."""

CHANNEL_OUT: Final = "/topic/thywill.channel.ratings.model"
"""The same channel at the broker: what is sent here is in the pages at once, past the site."""
