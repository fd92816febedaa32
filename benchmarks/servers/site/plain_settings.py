"""Django alone: middleware, sessions and database of the shipped site, nothing of thywill."""

import settings

DEBUG = False
SECRET_KEY = settings.SECRET_KEY
ALLOWED_HOSTS = ["127.0.0.1"]
ROOT_URLCONF = "plain"
INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.sessions",
]
MIDDLEWARE = [each for each in settings.MIDDLEWARE if not each.startswith("thywill_server.")]
DATABASES = settings.DATABASES
DEFAULT_AUTO_FIELD = settings.DEFAULT_AUTO_FIELD
CSRF_COOKIE_HTTPONLY = settings.CSRF_COOKIE_HTTPONLY
LANGUAGE_CODE = settings.LANGUAGE_CODE
TIME_ZONE = settings.TIME_ZONE
USE_TZ = settings.USE_TZ
