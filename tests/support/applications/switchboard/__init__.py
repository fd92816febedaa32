"""An application of commands, in every form that they may have."""
