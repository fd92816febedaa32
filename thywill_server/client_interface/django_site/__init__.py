"""The client interface that is a Django site: pages, messages, tickets, health."""

from thywill_server.client_interface.django_site.component import DjangoSite
from thywill_server.client_interface.django_site.page import embeds_thywill

__all__ = ["DjangoSite", "embeds_thywill"]
