"""What WSGI servers serve: ``gunicorn wsgi``, from this folder.

Workers may be forked before or after this is imported: what they must not share, connections and
threads, begins in each of them with its first request.
"""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "settings")

application = get_wsgi_application()
