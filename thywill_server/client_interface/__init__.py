"""The client interface: how browsers load pages and send messages up."""
