"""Push: messages from the site to the browsers, at any time."""
