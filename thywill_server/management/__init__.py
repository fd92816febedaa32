"""What ``manage.py`` can do for a site."""
