"""The plain site for Channels: the same middleware, sessions and database."""

from plain_settings import *  # noqa: F403
from plain_settings import INSTALLED_APPS

ROOT_URLCONF = "channels_site"
INSTALLED_APPS = [*INSTALLED_APPS, "channels"]
CHANNEL_LAYERS = {
    "default": {
        "BACKEND": "channels.layers.InMemoryChannelLayer",
        "CONFIG": {"capacity": 1000},
    }
}
