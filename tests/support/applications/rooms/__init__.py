"""Rooms with history, with a snapshot, and without either."""
