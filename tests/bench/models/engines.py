"""The engines that are compared, each a process of its own that answers JSON lines."""

import contextlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

import onnx
import psutil

from house import CHECKOUT

HERE = Path(__file__).parent
RIVALS_PYTHON = CHECKOUT / ".venv-bench-models" / "bin" / "python"
MOST_ROWS = 8


@dataclass(frozen=True, slots=True)
class Program:
    """An engine's name, its command, and how it is set."""

    name: str
    command: tuple[str, ...]
    setting: str
    environment: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True)
class Answer:
    """When each token of each prompt came (seconds), how many there were, and the first answer's text."""

    times: list[list[float]]
    counts: list[int]
    text: str

    @property
    def first_s(self) -> float:
        """Seconds until the last of the prompts had its first token."""
        return max(row[0] for row in self.times)

    @property
    def decoding(self) -> tuple[float, float]:
        """Tokens and seconds while all of the answers were being written."""
        begin, end = self.first_s, min(row[-1] for row in self.times)
        return sum(sum(begin < at <= end for at in row) for row in self.times), end - begin

    @property
    def whole(self) -> tuple[float, float]:
        """Tokens and seconds from the request to the last token of all, prompts included."""
        return sum(self.counts), max(row[-1] for row in self.times)


def ours(folder: Path, *, lookup: bool = True) -> Program:
    """Return our engine."""
    word = "drafts" if lookup else "plain"
    command = (sys.executable, str(HERE / "our_lines.py"), str(folder), word)
    paths = {"PYTHONPATH": os.pathsep.join((str(CHECKOUT / "tests" / "typing_root"), str(CHECKOUT / "tests")))}
    return Program(f"ours, {word}" if not lookup else "ours", command, "2 threads, spinning for 10 us", paths)


def genai(folder: Path) -> Program:
    """Return the stock onnxruntime-genai over the same weights."""
    command = (str(RIVALS_PYTHON), str(HERE / "genai_lines.py"), str(folder))
    return Program("onnxruntime-genai", command, "2 threads, spinning (its default)")


def llama(gguf: Path, *, passive: bool) -> Program:
    """Return llama.cpp over the GGUF that our weights were made of; its OpenMP threads spin unless ``passive``."""
    command = (str(RIVALS_PYTHON), str(HERE / "llama_lines.py"), str(gguf), str(MOST_ROWS))
    environment = {"OMP_WAIT_POLICY": "PASSIVE"} if passive else {}
    how = "passive" if passive else "spinning (its default)"
    return Program("llama.cpp", command, f"2 threads, OpenMP waits {how}, {MOST_ROWS} slots", environment)


def folder_for_genai(prepared: Path, target: Path) -> Path:
    """Return the prepared model as genai wants it: it takes trimmed logits only from a graph that says so."""
    model = onnx.load(str(prepared / "model.onnx"), load_external_data=False)
    kept = model.graph.output[0].type.tensor_type.shape.dim[1]
    kept.Clear()
    kept.dim_value = 1
    (target / "model.onnx").write_bytes(model.SerializeToString())
    for file in prepared.iterdir():
        if file.name != "model.onnx":
            shutil.copyfile(file, target / file.name)  # genai follows no link out of its folder
    return target


class Running:
    """A started engine."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self._child = subprocess.Popen(
            program.command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, **program.environment},
            text=True,
            encoding="utf-8",
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._child.stdin is not None:
            with contextlib.suppress(BrokenPipeError):  # it ended by itself, which is told elsewhere
                self._child.stdin.close()
        try:
            self._child.wait(30)
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.wait(30)
        if self._child.stdout is not None:
            self._child.stdout.close()

    def ask(self, prompts: Sequence[Sequence[int]], new: int, *, family: int = 0, schema: str | None = None) -> Answer:
        """Answer prompts side by side; the first ``family`` tokens may be known from before."""
        if self._child.stdin is None or self._child.stdout is None:
            raise RuntimeError("the engine has no pipes")
        asked = {"prompts": prompts, "new": new, "family": family, "schema": schema}
        self._child.stdin.write(json.dumps(asked) + "\n")
        self._child.stdin.flush()
        line = self._child.stdout.readline()
        if not line:
            raise RuntimeError(f"{self.program.name} ended with {self._child.wait(30)}")
        return Answer(**json.loads(line))

    def memory_mb(self) -> float:
        """Return what the process holds in memory right now."""
        return psutil.Process(self._child.pid).memory_info().rss / 1e6
