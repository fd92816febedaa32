"""The settings of this site: Django's, and thywill's five components.

To change what the site is made of, edit ``THYWILL``; ``python manage.py check`` says in one
sentence what is wrong with it. Everything else is Django's, as its own documentation tells.

Read from the environment:

======================  ==========================================================================
THYWILL_SECRET_KEY      Django's secret key; must be given when THYWILL_DEBUG is 0
THYWILL_DEBUG           1 (the default) or 0
THYWILL_ALLOWED_HOSTS   the names this site is reached by, with commas between
THYWILL_BEHIND_PROXY    1 when a proxy on this machine ends TLS and sets X-Forwarded-Proto and
                        X-Forwarded-For itself
THYWILL_HOME            folder for what the running site writes; ``.thywill`` beside this file
THYWILL_TICKET_KEY      signs push tickets; made by itself in THYWILL_HOME when it is not given
ORBITED_URL             where browsers find Orbited, when it is a process of its own
======================  ==========================================================================
"""

import os
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

from thywill_server.components import django_database, installed_applications, logging_config

BASE_DIR = Path(__file__).resolve().parent
HOME = Path(os.environ.get("THYWILL_HOME") or BASE_DIR / ".thywill").absolute()

DEBUG = os.environ.get("THYWILL_DEBUG", "1") == "1"
BEHIND_PROXY = os.environ.get("THYWILL_BEHIND_PROXY") == "1" and not DEBUG

# --- thywill: the five components ----------------------------------------------------------------

THYWILL = {
    "application": {
        "component": "thywill_server.application.local_python.LocalPython",
        "packages": "thywill_apps",  # every package in it; or a list of packages
        "default": "proof_of_concept",  # what /thywill/init/ serves
    },
    "client_interface": {
        "component": "thywill_server.client_interface.django_site.DjangoSite",
    },
    "database": {
        "component": "thywill_server.database.sqlite.Sqlite",
        "name": HOME / "thywill.sqlite3",
    },
    "log": {
        "component": "thywill_server.log.console.Console",
        "level": "INFO",
    },
    "push": {
        "component": "thywill_server.push.orbited_stomp.OrbitedStomp",
        # `manage.py runthywill` serves Orbited itself and ignores this address.
        "orbited_url": os.environ.get("ORBITED_URL", "http://127.0.0.1:8001/"),
        "stomp_host": "127.0.0.1",
        "stomp_port": 61613,
        "ticket_key_file": HOME / "ticket.key",
        # Of a proxy on this machine Orbited believes what it says of browsers.
        "comet_options": {
            "http": {"trusted_proxies": ["127.0.0.1", "::1"] if BEHIND_PROXY else []},
        },
    },
}

# --- Django --------------------------------------------------------------------------------------

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "thywill_server",
    "thywill_server.client_interface.django_site",
    *installed_applications(THYWILL),
]

MIDDLEWARE = [
    "thywill_server.client_interface.django_site.hosts.KnownHostsOnly",
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

ROOT_URLCONF = "thywill_server.client_interface.django_site.root_urls"
WSGI_APPLICATION = "wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

DATABASES = {"default": django_database(THYWILL)}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

LOGGING = logging_config(THYWILL)

STATIC_URL = "/static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATIC_ROOT = BASE_DIR / "collected"  # what `manage.py collectstatic` fills

LANGUAGE_CODE = "en-us"
TIME_ZONE = "UTC"
USE_TZ = True

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]

# --- security ------------------------------------------------------------------------------------

SECRET_KEY = os.environ.get("THYWILL_SECRET_KEY", "")
ALLOWED_HOSTS = [
    host.strip() for host in os.environ.get("THYWILL_ALLOWED_HOSTS", "").split(",") if host.strip()
]

# Django's sessions in the database, read faster: every message of a page begins with its session.
SESSION_ENGINE = "thywill_server.client_interface.django_site.sessions"

CSRF_FAILURE_VIEW = "thywill_server.client_interface.django_site.responses.csrf_failure"
CSRF_COOKIE_HTTPONLY = True  # the page has its token from the bootstrap
CSRF_COOKIE_SAMESITE = SESSION_COOKIE_SAMESITE = "Lax"
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
# The Content-Security-Policy depends on the components, so the client interface sends it.

if DEBUG:
    SECRET_KEY = SECRET_KEY or "for development on this machine only; anybody can read it here"
else:
    if not SECRET_KEY:
        raise ImproperlyConfigured(
            "THYWILL_SECRET_KEY is missing: it must be in the environment when THYWILL_DEBUG is 0; "
            'make one with: python -c "import secrets; print(secrets.token_urlsafe(64))"'
        )
    SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = True
    SECURE_SSL_REDIRECT = True
    SECURE_HSTS_SECONDS = 365 * 24 * 3600
    SECURE_HSTS_INCLUDE_SUBDOMAINS = True
    SECURE_HSTS_PRELOAD = True
    if BEHIND_PROXY:
        SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
