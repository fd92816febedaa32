"""The words of ``manage.py thywill``, a module each; see `thywill_server.management.commands`."""
