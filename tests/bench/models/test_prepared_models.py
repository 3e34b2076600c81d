"""Prepared models: what preparing takes, and how far the result agrees with the float model of the same file.

``make bench-prepare`` runs it; without a folder of wheels nothing is measured, since that would be 1.7 GB to fetch.
"""

import json
import os
import platform
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import pytest
from rich.console import Console
from rich.table import Table

from bench.models.agreement import Agreement, compare, tokenise
from bench.models.float_twin import Logits, Running, open_for_all_positions, write_twin
from bench.models.preparing import VARIABLE, Preparation, find_wheels, get_wheels, prepare
from bench.reporting import RESULTS
from hybridmesh.infra.models.catalog import CATALOG
from hybridmesh.infra.models.folder_source import FolderSource
from hybridmesh.infra.models.gguf_build import build_from_gguf
from hybridmesh.infra.models.packing import Profile
from hybridmesh.infra.models.progress import silent

PREPARED = ("smollm2-135m", "qwen2.5-coder-0.5b", "qwen2.5-coder-1.5b")
COMPARED = ("smollm2-135m", "qwen2.5-coder-0.5b")
PROFILES: tuple[Profile, ...] = ("exact", "fast", "small")
ROUNDS, TOKENS = 3, 24

pytestmark = [pytest.mark.bench, pytest.mark.timeout(3600)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Built:
    """What one profile makes of a file; ``texts`` has the agreement on each text, and on all of them."""

    megabytes: int
    token_ms: float
    texts: dict[str, Agreement]


def test_prepared_models(tmp_path: Path) -> None:
    """It runs on what you have: a model is prepared in seconds and little memory, and is the one it was made from."""
    wheels = find_wheels()
    if wheels is None:
        pytest.skip(f"no wheels: name their folder in {VARIABLE}, or run `make bench-prepare`; NOTHING was measured")
    load = os.getloadavg()[0]
    preparations: dict[str, Preparation] = {}
    for name in PREPARED:
        get_wheels(name, wheels)
        preparations[name] = prepare(name, wheels, tmp_path / "store")
    agreements = {name: measure_agreement(name, wheels, tmp_path / name) for name in COMPARED}
    show(preparations, agreements)
    report = {
        "date": datetime.now(UTC).date().isoformat(),
        "cores": os.cpu_count(),
        "load_average": {"before": round(load, 2), "after": round(os.getloadavg()[0], 2)},
        "versions": {
            "python": platform.python_version(),
            **{package: version(package) for package in ("onnxruntime-gpu", "gguf", "numpy", "hybridmesh")},
        },
        "preparing": {name: asdict(row) for name, row in preparations.items()},
        "agreement": {
            name: {profile: asdict(row) for profile, row in found.items()} for name, found in agreements.items()
        },
    }
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "prepared_models.json").write_text(json.dumps(report, indent=2) + "\n", "utf-8")


def measure_agreement(name: str, wheels: Path, folder: Path) -> dict[Profile, Built]:
    """Build every profile of a model, and compare each with the float model."""
    fetched = folder / "fetched"
    fetched.mkdir(parents=True)
    files = FolderSource(wheels).fetch(CATALOG[name], fetched, silent)
    assert files is not None
    (source,) = files.values()
    running: dict[Profile, Running] = {}
    sizes: dict[Profile, int] = {}
    twin = folder / "float"
    twin.mkdir()
    facts = write_twin(source, twin)
    for profile in PROFILES:
        built = folder / profile
        built.mkdir()
        build_from_gguf(source, built, profile, 2, lambda _done, _all: None)
        sizes[profile] = round(sum(path.stat().st_size for path in built.iterdir()) / 1e6)
        running[profile] = Running(open_for_all_positions(built), facts)
    texts = tokenise(folder / PROFILES[0])
    reference = Running(open_for_all_positions(twin), facts)
    wanted: Mapping[str, Logits] = {title: reference.logits(ids) for title, ids in texts.items()}
    del reference
    (twin / "model.onnx.data").unlink()
    (prompt, *_) = texts.values()
    times: dict[Profile, list[float]] = {profile: [] for profile in PROFILES}
    for _ in range(ROUNDS):  # in turns, since the machine may be busy with other things
        for profile in PROFILES:
            times[profile].append(running[profile].token_ms(prompt[:64], TOKENS))
    return {
        profile: Built(
            megabytes=sizes[profile],
            token_ms=round(min(times[profile]), 1),
            texts=compare(wanted, {title: running[profile].logits(ids) for title, ids in texts.items()}),
        )
        for profile in PROFILES
    }


def show(preparations: Mapping[str, Preparation], agreements: Mapping[str, Mapping[Profile, Built]]) -> None:
    """Print both tables."""
    console = Console(width=120)
    table = Table(title="preparing, with the wheels at hand", title_justify="left")
    for heading in ("model", "s", "CPU s", "reading", "building", "load test", "peak MiB", "load test MiB", "MB"):
        table.add_column(heading, justify="left" if heading == "model" else "right")
    for name, row in preparations.items():
        table.add_row(name, *(str(value) for value in asdict(row).values()))
    console.print(table)
    table = Table(title="agreement with the float32 model of the same file", title_justify="left")
    for heading in ("model", "profile", "text", "positions", "same best", "divergence", "MB", "ms a token"):
        table.add_column(heading)
    for name, found in agreements.items():
        for profile, built in found.items():
            for title, agreed in built.texts.items():
                ends = (built.megabytes, built.token_ms) if title == "all" else ("", "")
                values = (agreed.positions, f"{agreed.same_best:.3f}", f"{agreed.divergence:.4f}", *ends)
                table.add_row(name, profile, title, *map(str, values))
    console.print(table)
