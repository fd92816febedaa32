"""Applications in other processes: messages go to them over STOMP queues, and replies come back."""

from thywill_server.application.remote_stomp.component import RemoteStomp

__all__ = ["RemoteStomp"]
