"""Chat: rooms that browsers share, whichever way their messages come, with a history that stays."""
