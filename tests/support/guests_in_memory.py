"""The guests, at a site that has no broker."""

from tests.support.guests_settings import *  # noqa: F403
from tests.support.guests_settings import THYWILL as GUESTS_THYWILL

THYWILL = {**GUESTS_THYWILL, "push": {"component": "thywill_server.push.in_memory.InMemory"}}
