"""The project's settings, with a page that an application is put into."""

from settings import *  # noqa: F403

ROOT_URLCONF = "tests.support.embedding_urls"
