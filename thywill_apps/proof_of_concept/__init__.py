"""Echo: the smallest complete application. What a page sends comes back to that page."""
