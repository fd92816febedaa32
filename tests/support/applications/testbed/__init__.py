"""An application that does, on command, everything that an application may do wrong."""
