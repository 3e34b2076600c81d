"""What the local models can do, on cases of our own; what ``QUALITY_*`` in the environment mean stands in README.md.

No figure is a promise here; ``schemas/measured.py`` says which of them the agents rely on.
"""

import os
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from itertools import product
from pathlib import Path

import pytest
from rich.console import Console

from bench.quality.answers import Answers
from bench.quality.asking import LIMITS, TASKS, Asker
from bench.quality.cases import read_cases
from bench.quality.report import show, write
from bench.quality.scoring import Outcome
from hybridmesh.agents.memory.opening import EmbeddedMemory, open_library
from hybridmesh.agents.memory.scoped import ScopedMemory
from hybridmesh.agents.worker.onnx_model import OnnxModel
from hybridmesh.bus.settings import MeshSettings
from hybridmesh.infra.model_setup import model_folder
from hybridmesh.infra.models.exported import revision_of
from hybridmesh.infra.models.manifest import Manifest
from hybridmesh.schemas.memory import Scope

MODELS = os.environ.get("QUALITY_MODELS", "qwen2.5-coder-0.5b").split()
CHOSEN = os.environ.get("QUALITY_TASKS", " ".join(TASKS)).split()
KEPT = os.environ.get("QUALITY_ANSWERS")
EVERY = 20  # outcomes between two lines of progress

pytestmark = [pytest.mark.bench, pytest.mark.timeout(3 * 3600)]


@pytest.fixture
async def memory(tmp_path: Path) -> AsyncIterator[ScopedMemory]:
    """An empty memory with the real embedder, which compares meanings."""
    settings = MeshSettings()
    folder = model_folder(settings, settings.models.embedder)
    library = await open_library(EmbeddedMemory(folder=tmp_path / "memory"), folder, clock=lambda: datetime.now(UTC))
    yield ScopedMemory(library, Scope())
    await library.close()


@pytest.mark.parametrize("name", MODELS)
async def test_quality(name: str, memory: ScopedMemory) -> None:
    """Nothing is hidden: what a model gets right and wrong is counted by task and language before it is relied on."""
    console = Console(width=110)
    folder = model_folder(MeshSettings(), name)
    manifest = Manifest.read(folder)
    assert manifest is not None
    cases = read_cases()
    outcomes: list[Outcome] = []
    started = time.monotonic()
    with OnnxModel.load(folder, name=name, threads=LIMITS.threads, max_prompt_tokens=LIMITS.max_prompt_tokens) as model:
        answers = Answers(model, Path(KEPT) / f"{name}-{manifest.fingerprint[:12]}.jsonl" if KEPT else None)
        asker = Asker(answers, memory, name)
        for task, each in product(CHOSEN, cases):
            async for outcome in asker.ask(each, task):
                outcomes.append(outcome)
                if len(outcomes) % EVERY == 0:
                    console.print(f"{name}: {outcome.case}, {time.monotonic() - started:.0f} s")
        provider = model.provider
    asked, seconds = answers.spent()
    show(name, outcomes)
    about = {
        "title": manifest.title,
        "revision": revision_of(manifest),
        "provider": provider,
        "questions": asked,
        "seconds": round(seconds),
    }
    write(name, outcomes, about, cases)
