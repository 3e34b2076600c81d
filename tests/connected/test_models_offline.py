"""Prepared models with the network cut off: found, verified and at work."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from hybridmesh.infra.models.progress import silent
from hybridmesh.infra.models.store import ModelStore

pytestmark = [pytest.mark.connected, pytest.mark.model]

CACHE = Path.home() / ".cache" / "hybridmesh" / "models"

# Any name that is looked up and any connection that is opened ends the process, whatever library tries.
OFFLINE = """
import os, sys
from pathlib import Path

def watch(event, arguments):
    if event in ("socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto", "subprocess.Popen"):
        print(event, file=sys.stderr)
        os._exit(7)

sys.addaudithook(watch)

from hybridmesh.infra.models.load_test import load_test
from hybridmesh.infra.models.progress import silent
from hybridmesh.infra.models.store import ModelStore

store = ModelStore(Path(sys.argv[1]))
found = store.prepare(sys.argv[2], silent)
assert store.path(sys.argv[2]) == found.folder
assert store.verify(sys.argv[2]) == found
load_test(found.kind, found.folder)
"""


def cut_off() -> list[str]:
    """Return what gives a command a network of its own without any way out, where the system allows it."""
    command = ["unshare", "--map-root-user", "--net"]
    allowed = shutil.which("unshare") and subprocess.run([*command, "true"], check=False, capture_output=True)
    return command if allowed and allowed.returncode == 0 else []


@pytest.mark.parametrize("name", ["smollm2-135m", "minilm-l6-int8"])
def test_a_prepared_model_needs_no_network(name: str) -> None:
    """It runs on what you have: once prepared, a model is found, verified and run without one network call."""
    ModelStore(CACHE).prepare(name, silent)
    command = [*cut_off(), sys.executable, "-c", OFFLINE, str(CACHE), name]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_watch_sees_the_network() -> None:
    """Nothing is hidden: the test above would fail for a look-up or a download."""
    seen = (
        OFFLINE.partition("\nfrom hybridmesh")[0]
        + "\nimport urllib.request\nurllib.request.urlopen('http://x.invalid')"
    )
    done = subprocess.run([sys.executable, "-c", seen], check=False, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (7, "socket.getaddrinfo\n")
