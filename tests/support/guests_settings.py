"""The project's settings with the guests application, and addresses to log in and out."""

from settings import *  # noqa: F403
from settings import INSTALLED_APPS as PROJECT_APPS
from settings import THYWILL as PROJECT_THYWILL

GUESTS = "tests.support.applications.guests"

THYWILL = {
    **PROJECT_THYWILL,
    "application": {**PROJECT_THYWILL["application"], "packages": [GUESTS], "default": "guests"},
}
INSTALLED_APPS = [*PROJECT_APPS, GUESTS]
ROOT_URLCONF = "tests.support.guests_urls"
