"""The rules of Orbited's wire, without I/O: packets, session, handshake, access."""
