"""Live ratings of a talk: a reactive model in a process of its own, shared with browsers.

The site serves the page and carries messages; what they mean is decided in another process, by
``manage.py ratings``::

    page --> site --> CHANNEL_IN ------> TraitsWeb --> WebClient --> RatedTalk (a Traits model)
             site --> CHANNEL_CONTROL -> TraitsWeb                        |
    pages <----------- CHANNEL_OUT <---- TraitsWeb <--- trait changes ----+
"""
