"""Servers for one test each: they begin with what a template holds, and are killed when nobody needs them any more."""

import contextlib
import os
import shutil
import signal
from collections.abc import Generator
from pathlib import Path

from hybridmesh.infra.nats.server import NatsServer


@contextlib.contextmanager
def short_lived(folder: Path, *, template: Path | None = None, access: str = "") -> Generator[NatsServer]:
    """Run a server on a folder, with the streams of the folder that a stopped server left.

    To make all streams takes three times as long as to copy them, and an orderly end a third of a second; what is in
    the store then, nobody reads again.
    """
    if template is not None:
        shutil.copytree(template / "jetstream", folder / "jetstream")
    server = NatsServer(folder, access=access)
    server.start()
    try:
        yield server
    finally:
        if server.alive():
            os.kill(server.pid, signal.SIGKILL)
        server.stop()
