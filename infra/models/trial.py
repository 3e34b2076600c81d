"""Runs the load test in a process of its own: a crash of the runtime is then an error like any other.

The memory of the loaded model goes with that process, so preparing costs the caller what the build costs.
"""

import subprocess
import sys
from pathlib import Path
from typing import Final

from hybridmesh.bus.errors import SetupError
from hybridmesh.infra.models.entry import Kind
from hybridmesh.infra.parent_death import die_with_parent

TIMEOUT_S: Final = 300.0
BROKEN: Final = 3  # as load_test.py, which is not imported here: it would load the runtime
KILLED: Final = -9  # what the system does where memory runs out
REMEDY: Final = "report this with your platform"


def try_model(kind: Kind, folder: Path, *, known: bool = True) -> None:
    """Raise SetupError unless the model in ``folder`` loads and gives an answer of the right form.

    ``known`` models are of the catalog, and their answers can be told from wrong ones.
    """
    command = [
        sys.executable,
        "-P",  # nothing is imported from the current folder, which may be somebody else's
        "-m",
        "hybridmesh.infra.models.load_test",
        kind,
        str(folder),
        "known" if known else "any",
    ]
    try:
        done = subprocess.run(
            command, check=False, capture_output=True, text=True, timeout=TIMEOUT_S, preexec_fn=die_with_parent
        )
    except subprocess.TimeoutExpired:
        raise SetupError("the model was built but does not answer", remedy=REMEDY) from None
    if done.returncode == BROKEN:
        raise SetupError(done.stdout.strip(), remedy=REMEDY)
    if done.returncode == KILLED:
        raise SetupError(
            "the model was built but its load test was killed, most likely for want of memory",
            remedy="end other programs, or choose a smaller model",
        )
    if done.returncode:
        raise SetupError(f"the model was built but its load test crashed (code {done.returncode})", remedy=REMEDY)
