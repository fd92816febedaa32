"""The settings of a deployed site: those of the project, and what differs on this server.

Secrets come from the environment, which systemd reads from /etc/thywill/secrets.env.
"""

import os

os.environ["THYWILL_DEBUG"] = "0"
os.environ["THYWILL_BEHIND_PROXY"] = "1"  # nginx, on this machine

from settings import *  # noqa: F403
from settings import HOME, THYWILL, django_database

THYWILL["database"] = {
    "component": "thywill_server.database.mysql.Mysql",
    "name": os.environ.get("THYWILL_DATABASE_NAME", "thywill"),
    "user": os.environ.get("THYWILL_DATABASE_USER", "thywill"),
    "password": os.environ["THYWILL_DATABASE_PASSWORD"],
    "host": os.environ.get("THYWILL_DATABASE_HOST", "127.0.0.1"),
    "port": int(os.environ.get("THYWILL_DATABASE_PORT", "3306")),
}
DATABASES = {"default": django_database(THYWILL)}

# Pages find Orbited under the site's own name: nginx hands /orbited/ on.
THYWILL["push"]["orbited_url"] = "/orbited/"

# Whichever worker a repeated message reaches, it is handled once: they all look here.
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.db.DatabaseCache",
        "LOCATION": "thywill_cache",
    }
}
THYWILL["client_interface"]["replies_cache"] = "default"

STATIC_ROOT = HOME / "collected"
