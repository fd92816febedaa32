"""Template tags of thywill."""
