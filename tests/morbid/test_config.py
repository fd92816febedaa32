"""The configuration file, and what is built from it."""

import pytest
from twisted.internet.task import Clock

from morbid import get_stomp_factory
from morbid.config import OPTIONS, Configuration, read_configuration
from morbid.errors import ConfigurationError
from morbid.mqsecurity import AcceptAll
from morbid.passwords import PasswordFile, hash_password
from morbid.restq import RestQ
from morbid.rights import GroupRights


class Doorkeeper:
    """An authenticator that can authorize, and wants options."""

    @classmethod
    def from_options(cls, options, directory):
        made = cls()
        made.given = dict(options), directory
        if "wrong" in options:
            raise ValueError("that is wrong")
        return made

    def authenticate(self, login, passcode, peer):
        return None

    def authorize(self, identity, operation, destination, headers):
        return False


class Plain:
    """One that takes no options."""


@pytest.fixture(autouse=True)
def importable(monkeypatch):
    """Let this module be found by dotted path, under a name of its own."""
    import sys

    monkeypatch.setitem(sys.modules, "doorkeepers", sys.modules[__name__])


@pytest.fixture
def write(tmp_path):
    """Write a configuration file; returns its path."""

    def write(text):
        path = tmp_path / "morbid.cfg"
        path.write_text(text, "utf-8")
        return path

    return write


def test_file(write, tmp_path):
    """Lines ``option=value`` are read; blank lines and comments are passed over."""
    path = write("# comment\n\n  port = 0 \nverbose=yes\nmax_headers=7\nsite_logins=a, b,\n")
    configuration = read_configuration(path)
    assert configuration.port() == 0
    assert configuration.flag("verbose") is True
    assert configuration.limits().max_headers == 7
    assert configuration.site_logins() == {"a", "b"}
    assert configuration.directory == tmp_path
    assert configuration.path("password_file") == tmp_path


def use(path):
    """Do with a configuration file what the command does, short of listening."""
    configuration = read_configuration(path)
    configuration.port()
    configuration.flag("verbose")
    get_stomp_factory(path, clock=Clock())


def test_nothing_at_all():
    """Without a configuration everything has its default."""
    configuration = read_configuration(None)
    assert configuration.port() == 61613
    assert configuration.flag("verbose") is False
    assert configuration.options == {}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("port", "morbid.cfg:1: expected option=value, got 'port'"),
        ("=1", "morbid.cfg:1: expected option=value, got '=1'"),
        ("\nport=1\nport=2", "morbid.cfg:3: port was set before, in {}morbid.cfg:2"),
        ("\nprot=1", "morbid.cfg:2: there is no option 'prot', did you mean port?"),
        ("x.y.z=1", "morbid.cfg:1: there is no option 'x.y.z'"),
        ("#\nport=x", "morbid.cfg:2: port: expected a number from 0 to 65535, got 'x'"),
        ("port=65536", "morbid.cfg:1: port: expected a number from 0 to 65535, got '65536'"),
        ("verbose=maybe", "morbid.cfg:1: verbose: expected yes or no, got 'maybe'"),
        ("max_headers=0", "morbid.cfg:1: max_headers: expected at least 1, got 0"),
        (
            "authenticator=absent.Class",
            "morbid.cfg:1: authenticator: cannot import 'absent.Class' (No module named 'absent')",
        ),
        ("authenticator=nodots", "morbid.cfg:1: authenticator: cannot import 'nodots'"),
        ("authenticator=doorkeepers.Absent", "morbid.cfg:1: authenticator: cannot import"),
        (
            "authenticator.wrong=1\nauthenticator=doorkeepers.Doorkeeper",
            "morbid.cfg:2: authenticator: doorkeepers.Doorkeeper says: that is wrong",
        ),
        ("authorizer=absent.Class", "morbid.cfg:1: authorizer: cannot import"),
        ("password_file=absent", "cannot read {}absent: No such file"),
        ("auth=absent", "auth: there is no security module {}absent.py"),
        ("auth=a\npassword_file=b", "morbid.cfg:1: auth: password_file is set as well"),
        ("restq=nowhere", "morbid.cfg:1: restq: expected http://HOST..., got 'nowhere'"),
        ("restq=http://x\nrestq_seconds=0", "morbid.cfg:2: restq_seconds: expected a number"),
    ],
)
def test_wrong_file(write, tmp_path, text, problem):
    """Whatever is wrong in a file is one sentence that names file and line."""
    path = write(text)
    with pytest.raises(ConfigurationError) as caught:
        use(path)
    assert problem.format(f"{tmp_path}/") in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("content", [None, b"\xff"])
def test_file_that_cannot_be_read(tmp_path, content):
    """A file that is not there, or not text, is one sentence."""
    path = tmp_path / "x.cfg"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ConfigurationError, match=r"cannot read the configuration .*x\.cfg: "):
        read_configuration(path)


def test_mapping():
    """A mapping holds the same options; there is no file to name then."""
    factory = get_stomp_factory({"max_headers": "7"}, clock=Clock())
    assert factory.broker.limits.max_headers == 7
    assert isinstance(factory.policy.security.authenticator, AcceptAll)
    assert factory.policy.security.authorizer is None
    with pytest.raises(ConfigurationError, match=r"^there is no option 'x'$"):
        get_stomp_factory({"x": "1"}, clock=Clock())


def test_authenticator_by_dotted_path(write, tmp_path):
    """A class is made with its own options, and is the authorizer too if it can."""
    path = write("authenticator=doorkeepers.Doorkeeper\nauthenticator.key=k=1\n")
    security = get_stomp_factory(path, clock=Clock()).policy.security
    assert security.authenticator.given == ({"key": "k=1"}, tmp_path)
    assert security.authorizer is security.authenticator


def test_authorizer_by_dotted_path():
    """Another class may authorize; one without from_options is simply made."""
    security = get_stomp_factory(
        {
            "authenticator": "doorkeepers.Plain",
            "authorizer": "doorkeepers.Doorkeeper",
            "authorizer.a": "b",
        },
        clock=Clock(),
    ).policy.security
    assert isinstance(security.authenticator, Plain)
    assert security.authorizer.given[0] == {"a": "b"}


def test_files_of_logins_and_rights(write, tmp_path):
    """Password and rights files are found beside the configuration."""
    (tmp_path / "pw").write_text(f"ada:{hash_password('x')}:")
    (tmp_path / "rights").write_text("everybody r *")
    path = write("password_file=pw\nrights_file=rights\n")
    security = get_stomp_factory(path, clock=Clock()).policy.security
    assert isinstance(security.authenticator, PasswordFile)
    assert isinstance(security.authorizer, GroupRights)


def test_security_module_of_old(write, tmp_path):
    """``auth`` names a security module, with or without .py."""
    (tmp_path / "mod.py").write_text(
        "class Parms:\n    def checker_config(self): return {'sec_type': 'any'}"
    )
    security = get_stomp_factory(write("auth=mod"), clock=Clock()).policy.security
    assert security.authorizer is not None


def test_restq():
    """``restq`` makes a reviewer."""
    security = get_stomp_factory({"restq": "http://127.0.0.1:1/"}, clock=Clock()).policy.security
    assert isinstance(security.reviewer, RestQ)


def test_doors_of_the_site():
    """Advisories and the control path are where the options say."""
    policy = get_stomp_factory(
        {
            "advisory_destination": "/queue/a",
            "control_destination": "/c",
            "site_logins": "site",
        },
        clock=Clock(),
    ).policy
    assert policy.advisory_destination == "/queue/a"
    assert policy.control_destination == "/c"
    assert policy.site_logins == {"site"}


def test_command_line_goes_before(write, tmp_path):
    """What is given on the command line replaces the file's, and is no longer blamed on it."""
    configuration = read_configuration(write("port=1\ninterface=::1\n"))
    changed = configuration.overridden({"port": "x", "auth": "mod"})
    with pytest.raises(ConfigurationError, match=r"^port: expected"):
        changed.port()
    assert changed.text("interface") == "::1"
    assert changed.path("auth").is_absolute()
    assert changed.path("auth").parent != tmp_path


def test_every_option_is_explained():
    """Each option says what it means."""
    assert all(OPTIONS.values())
    assert Configuration().options == {}
