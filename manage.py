#!/usr/bin/env python
"""Django's entry point: ``python manage.py COMMAND``."""

import os
import sys


def main() -> None:
    """Run one command; a site that is set up wrongly ends in one sentence."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "settings")
    try:
        from django.core.exceptions import ImproperlyConfigured
        from django.core.management import execute_from_command_line
    except ImportError:
        sys.exit(
            "This Python has no Django. ./run makes .venv, which has it, and starts the site; "
            "then `. .venv/bin/activate` and call me again."
        )
    try:
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as error:
        sys.exit(f"settings.py: {error}")
    except Exception as error:
        from django.conf import settings

        from thywill_server.startup import application_problem

        sentence = settings.configured and application_problem(error, settings.THYWILL)
        if not sentence:
            raise
        sys.exit(sentence)


if __name__ == "__main__":
    main()
