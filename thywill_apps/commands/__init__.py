"""A whiteboard made of commands: what one draws, everybody sees."""
