"""Our engine as a program that answers JSON lines, so that it is measured like its rivals: ``our_lines.py FOLDER``.

Each line asks for some prompts (as tokens) to be answered side by side; the answer is when each token came.
"""

import json
import sys
import time
from pathlib import Path
from typing import TypedDict

import numpy as np

from hybridmesh.agents.worker.onnx_chat import Prompt
from hybridmesh.agents.worker.onnx_engine import Engine
from hybridmesh.agents.worker.onnx_job import Job
from hybridmesh.schemas.inference import Guide, GuideKind


class Asked(TypedDict):
    """A line; ``new`` tokens are wanted of each prompt, fewer only if ``schema`` ends the answer."""

    prompts: list[list[int]]
    new: int
    family: int
    schema: str | None


def main(folder: Path, *, lookup: bool) -> None:
    """Answer lines until there are no more."""
    engine = Engine.load(folder, name="ours", provider="cpu", lookup=lookup)
    engine.warm_up()
    for line in sys.stdin:
        times, text = answer(engine, json.loads(line))
        sys.stdout.write(json.dumps({"times": times, "text": text, "counts": [len(row) for row in times]}) + "\n")
        sys.stdout.flush()


def answer(engine: Engine, asked: Asked) -> tuple[list[list[float]], str]:
    """Return the seconds after which each token of each prompt came, and the first answer's text."""
    if not asked["family"]:
        engine._prefixes.forget(engine)  # nothing is known from the round before, as with the rivals
    guide = asked["schema"] and Guide(kind=GuideKind.JSON_SCHEMA, pattern=asked["schema"])
    started = time.monotonic()
    jobs = [
        Job(
            prompt=Prompt(np.array(tokens, np.int64), asked["family"]),
            limit=asked["new"],
            copies=bool(guide),
            guide=engine._guides.follow(guide) if guide else None,
            ends=frozenset(),
        )
        for tokens in asked["prompts"]
    ]
    for job in jobs:
        engine.begin(job)
    times: list[list[float]] = [[] for _ in jobs]
    while engine.turn():
        note(jobs, times, started)
    note(jobs, times, started)
    return times, engine._chat.text(jobs[0].output)


def note(jobs: list[Job], times: list[list[float]], started: float) -> None:
    """Add the time for each token that is new."""
    now = time.monotonic() - started
    for job, row in zip(jobs, times, strict=True):
        if job.output and not row:
            row.append(job.first_at - started)  # the turn that gives it goes on with a step of writing
        row.extend([now] * (len(job.output) - len(row)))


if __name__ == "__main__":
    main(Path(sys.argv[1]), lookup=sys.argv[2:] != ["plain"])
