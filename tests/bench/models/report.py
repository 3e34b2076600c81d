"""The table of figures and its file: each beside llama.cpp's in the same run, and the bar that is to be reached."""

import json
import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bench.reporting import RESULTS
from house import CHECKOUT


@dataclass(frozen=True, slots=True)
class Figure:
    """One row: the best of all rounds by engine, what is to be reached, and whether it was."""

    name: str
    unit: str
    best: Mapping[str, float]
    rounds: Mapping[str, Sequence[float]]
    bar: str
    reached: bool | None


def rivals() -> dict[str, str]:
    """Return the pinned versions of the rivals."""
    lines = (Path(__file__).parent / "rivals.in").read_text("utf-8").splitlines()
    return dict(line.split("==") for line in lines if "==" in line)


def show(figures: Sequence[Figure], engines: Sequence[str]) -> None:
    """Print the table."""
    table = Table(title="qwen2.5-coder-0.5b, two threads, best of all rounds", title_justify="left")
    for heading in ("figure", *engines, "to reach", ""):
        table.add_column(heading, justify="left" if heading in ("figure", "to reach") else "right")
    for figure in figures:
        cells = [f"{figure.best[name]:,.2f}" if name in figure.best else "–" for name in engines]
        verdict = {True: "yes", False: "NO", None: ""}[figure.reached]
        table.add_row(f"{figure.name}, {figure.unit}", *cells, figure.bar, verdict)
    Console(width=150).print(table)


def write(
    figures: Sequence[Figure], settings: Mapping[str, str], sizes: Mapping[str, int], loads: Sequence[float]
) -> None:
    """Write ``results/models.json``; the load averages tell how busy the machine was with other things."""
    report = {
        "date": datetime.now(UTC).date().isoformat(),
        "cores": os.cpu_count(),
        "processor": _processor(),
        "load_average": [round(load, 2) for load in loads],
        "versions": {
            "python": platform.python_version(),
            "onnxruntime-gpu": version("onnxruntime-gpu"),
            "llguidance": version("llguidance"),
            **{f"rival {name}": number for name, number in rivals().items()},
        },
        "settings": settings,
        "sizes": sizes,
        "figures": [asdict(figure) for figure in figures],
    }
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "models.json").write_text(json.dumps(report, indent=2) + "\n", "utf-8")
    Console(width=150).print(f"written to {(RESULTS / 'models.json').relative_to(CHECKOUT)}")


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines() if Path("/proc/cpuinfo").exists() else []
    return next((line.partition(": ")[2] for line in lines if line.startswith("model name")), platform.processor())
