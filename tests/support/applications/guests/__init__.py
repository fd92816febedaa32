"""An application that notes who comes and goes, in the site's log."""
