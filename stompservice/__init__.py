"""STOMP on the wire, and a STOMP client for Twisted."""
