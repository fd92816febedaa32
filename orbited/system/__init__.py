"""What can be seen of a running server: version, counters, health."""
