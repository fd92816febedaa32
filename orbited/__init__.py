"""Orbited: a TCP socket for JavaScript, over whatever the browser and the network allow.

A page opens ``new Orbited.TCPSocket()``; this server carries its bytes over WebSocket, an
HTTP stream, or long polling, and connects it to the back ends that the access list names.
"""

__version__ = "0.8.0"
