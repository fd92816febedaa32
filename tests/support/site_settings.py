"""The project's settings, with the tests' applications beside the others."""

from settings import *  # noqa: F403
from settings import INSTALLED_APPS as PROJECT_APPS
from settings import THYWILL as PROJECT_THYWILL

APPLICATIONS = ["tests.support.applications.testbed", "tests.support.applications.rooms"]

THYWILL = {
    **PROJECT_THYWILL,
    "application": {**PROJECT_THYWILL["application"], "packages": ["thywill_apps", *APPLICATIONS]},
}
INSTALLED_APPS = [*PROJECT_APPS, *APPLICATIONS]
