"""Security modules of MorbidQ 0.8, and logins by ``twisted.cred``."""

import pytest
from twisted.cred.checkers import AllowAnonymousAccess, InMemoryUsernamePasswordDatabaseDontUse
from twisted.cred.credentials import Anonymous
from twisted.cred.portal import Portal

from morbid.errors import ConfigurationError
from morbid.mqsecurity import Identity
from morbid.parms import load_parms
from morbid.portal import IStompUser, PortalAuthenticator, Realm


def now(deferred):
    """What a Deferred has fired with."""
    results = []
    deferred.addCallback(results.append)
    (result,) = results
    return result


@pytest.fixture
def load(tmp_path):
    """Load a security module with this body of class Parms."""

    def load(*methods, name="security.py"):
        lines = ["class Parms:", *(f"    {method}" for method in methods)]
        (tmp_path / "security.py").write_text("\n".join(lines), "utf-8")
        return load_parms(tmp_path / name)

    return load


ANY = "def checker_config(self): return {'sec_type': 'any'}"


def test_portal():
    """A portal decides who comes in, and what groups they have."""
    checker = InMemoryUsernamePasswordDatabaseDontUse(ada=b"secret")
    portal = Portal(Realm(lambda name: [name, "all"]), [checker])
    authenticator = PortalAuthenticator(portal)
    user = now(authenticator.authenticate("ada", "secret", ""))
    assert (user.name, user.user_name, user.groups) == ("ada", "ada", ("ada", "all"))
    assert now(authenticator.authenticate("ada", "guess", "")) is None
    assert now(authenticator.authenticate("bob", "secret", "")) is None


def test_portal_that_fails():
    """A checker that breaks is a failure, not a refusal to be kept quiet about."""

    def broken(name):
        raise ZeroDivisionError

    checker = InMemoryUsernamePasswordDatabaseDontUse(ada=b"secret")
    failures = []
    authenticator = PortalAuthenticator(Portal(Realm(broken), [checker]))
    authenticator.authenticate("ada", "secret", "").addErrback(failures.append)
    assert failures[0].check(ZeroDivisionError)


def test_portal_for_the_wrong_interface():
    """The realm has users of the broker, and nothing else."""
    with pytest.raises(NotImplementedError):
        Realm().requestAvatar(b"ada", None)


def test_anonymous():
    """A realm that is asked for nobody in particular has somebody without a name."""
    portal = Portal(Realm(), [AllowAnonymousAccess()])
    _, user, _ = now(portal.login(Anonymous(), None, IStompUser))
    assert user.name == ""


@pytest.mark.parametrize("name", ["security.py", "security"])
def test_any(load, name):
    """``any`` lets everybody in; without more, they are their own group and may do all."""
    authenticator, authorizer = load(ANY, name=name)
    user = now(authenticator.authenticate("ada", "", ""))
    assert (user.name, user.groups) == ("ada", ("ada",))
    assert authorizer.authorize(user, "send", "/a", {}) is True


def test_test(load):
    """``test`` knows usr0 to usr9, or as many as it is told to."""
    authenticator, _ = load("def checker_config(self): return {'sec_type': 'test', 'id_count': 2}")
    assert now(authenticator.authenticate("usr1", "pwd1", "")).name == "usr1"
    assert now(authenticator.authenticate("usr1", "pwd0", "")) is None
    assert now(authenticator.authenticate("usr2", "pwd2", "")) is None


def test_file(load, tmp_path):
    """``file`` reads lines with names and passwords, beside the module."""
    (tmp_path / "passwd").write_text("x|ADA|secret\n")
    authenticator, _ = load(
        "def checker_config(self): return {'sec_type': 'file', 'filename': 'passwd', 'delim': '|',"
        " 'usernameField': 1, 'passwordField': 2, 'caseSensitive': False, 'cache': True}"
    )
    assert now(authenticator.authenticate("Ada", "secret", "")).name == "ada"
    assert now(authenticator.authenticate("Ada", "x", "")) is None


def test_groups_and_rights(load):
    """Groups of a name, and letters for groups and a destination, come from the module."""
    authenticator, authorizer = load(
        ANY,
        "def group_config(self): return lambda name: [name, 'all']",
        "def get_group_access_rights(self): return self.rights",
        "def rights(self, groups, where): return 'r' if 'all' in groups else ''",
    )
    user = now(authenticator.authenticate("ada", "", ""))
    assert user.groups == ("ada", "all")
    assert authorizer.authorize(user, "subscribe", "/a", {})
    assert not authorizer.authorize(user, "send", "/a", {})
    assert not authorizer.authorize(Identity("x"), "subscribe", "/a", {})


@pytest.mark.parametrize(
    ("method", "problem"),
    [
        (
            "def checker_config(self): return {'sec_type': 'pam'}",
            "expected any, test or file, got 'pam'",
        ),
        ("def checker_config(self): return {}", "expected any, test or file, got None"),
        ("def checker_config(self): return {'sec_type': 'file'}", "KeyError: 'filename'"),
        (
            "def checker_config(self): return {'sec_type': 'file', 'filename': 'absent'}",
            "there is no password file",
        ),
        ("def something(self): pass", "AttributeError"),
        ("def checker_config(self) return", "SyntaxError"),
    ],
)
def test_wrong_module(load, method, problem):
    """A module that does not work is one sentence that names it."""
    with pytest.raises(ConfigurationError) as caught:
        load(method)
    assert str(caught.value).startswith("auth: ")
    assert "security.py" in str(caught.value)
    assert problem in str(caught.value)


def test_no_module(tmp_path):
    """A module that is not there is named."""
    with pytest.raises(ConfigurationError, match=r"there is no security module .*absent\.py"):
        load_parms(tmp_path / "absent")
