"""Connected clients: who is there, who comes and goes, and how the site ends a connection."""
