"""What the scripts of Orbited import, named for pages so that they fetch it all at once.

Orbited may be another process on another machine, so its files are not looked at. With another
release of it a name may be wrong: then the page asks for one file in vain, and works as before.
"""

MODULES = (
    "comet/backoff.js",
    "comet/base64.js",
    "comet/browser.js",
    "comet/bytebuffer.js",
    "comet/deadline.js",
    "comet/downstream.js",
    "comet/errors.js",
    "comet/ladder.js",
    "comet/lifecycle.js",
    "comet/link.js",
    "comet/oldnames.js",
    "comet/packets.js",
    "comet/patience.js",
    "comet/pause.js",
    "comet/poster.js",
    "comet/session.js",
    "comet/settings.js",
    "comet/tcpsocket.js",
    "comet/transports/base.js",
    "comet/transports/longpoll.js",
    "comet/transports/poll.js",
    "comet/transports/sse.js",
    "comet/transports/table.js",
    "comet/transports/websocket.js",
    "comet/transports/xhrstream.js",
    "comet/upstream.js",
    "comet/utf8.js",
    "protocols/stomp/frame.js",
    "protocols/stomp/heartbeat.js",
    "protocols/stomp/lineprotocol.js",
    "protocols/stomp/oldnames.js",
    "protocols/stomp/parser.js",
)
"""Below Orbited's ``static/``."""
