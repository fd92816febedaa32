"""Floe: a game on ice for up to thirty. Push the others into the sea, and catch fish."""
