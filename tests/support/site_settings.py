"""The project's settings, with the testbed application beside the others."""

from settings import *  # noqa: F403
from settings import INSTALLED_APPS as PROJECT_APPS
from settings import THYWILL as PROJECT_THYWILL

TESTBED = "tests.support.applications.testbed"

THYWILL = {
    **PROJECT_THYWILL,
    "application": {**PROJECT_THYWILL["application"], "packages": ["thywill_apps", TESTBED]},
}
INSTALLED_APPS = [*PROJECT_APPS, TESTBED]
