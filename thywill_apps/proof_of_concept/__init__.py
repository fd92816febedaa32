"""The echo of 2011, in two functions. What a page sends comes back to that page alone."""
