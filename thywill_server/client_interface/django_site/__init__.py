"""The client interface that is a Django site: pages, messages, tickets, health."""

from thywill_server.client_interface.django_site.component import DjangoSite

__all__ = ["DjangoSite"]
