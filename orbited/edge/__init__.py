"""The HTTP server in front of everything: bytes of a socket in, exchanges out.

::

    bytes --> reader ------> connection --> router --> Exchange --> sessions, files
              head, body      |                 \\--> twisted.web --> the site's own pages
    bytes <-- answer <--------+

``head``, ``body``, ``reader`` and ``answer`` hold the rules and do no I/O; ``connection`` is their
shell. Whoever is asked, the request has been read by one parser, once, and so there is no second
opinion on where it ends.
"""
