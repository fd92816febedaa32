"""Public names, and what importing them brings along."""

import subprocess
import sys

import pytest

import morbid


@pytest.mark.parametrize(
    "name",
    [
        "morbid.StompFactory",
        "morbid.StompProtocol",
        "morbid.get_stomp_factory",
        "morbid.main",
        "morbid.messagequeue.Queue",
        "morbid.messagequeue.Topic",
        "morbid.messagequeue.Pubsub",
        "morbid.mqsecurity.AcceptAll",
        "morbid.mqsecurity.Authenticator",
        "morbid.mqsecurity.Authorizer",
        "morbid.mqsecurity.Identity",
    ],
)
def test_public_names(name):
    """Names that others rely on are where they are expected."""
    module, _, attribute = name.rpartition(".")
    assert hasattr(__import__(module, fromlist=[attribute]), attribute)


def test_unknown_name():
    """A name that is not there is an AttributeError, as everywhere."""
    with pytest.raises(AttributeError, match="no attribute 'absent'"):
        morbid.absent  # noqa: B018
    assert set(morbid.__all__) <= set(dir(morbid))


@pytest.mark.parametrize(
    "modules", ["morbid", "morbid.session", "morbid.broker, morbid.policy, morbid.passwords"]
)
def test_cores_without_twisted(modules):
    """The package itself and its cores do not import Twisted."""
    check = f"import sys, {modules}; sys.exit('twisted' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", check], check=False).returncode == 0
