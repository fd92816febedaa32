"""The shipped site as it is deployed, but for TLS: the benchmark talks to it over plain HTTP.

Beside thywill's addresses it has /plain/, the same view without thywill.
"""

import os

os.environ["THYWILL_DEBUG"] = "0"

from settings import *  # noqa: F403
from settings import HOME, THYWILL

SECURE_SSL_REDIRECT = SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = False
SECURE_HSTS_SECONDS = 0
ROOT_URLCONF = "benchmark_urls"
STATIC_ROOT = HOME
THYWILL["push"]["stomp_port"] = int(os.environ["STOMP_PORT"])
