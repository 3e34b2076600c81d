"""What a benchmark leaves behind: a table for whoever ran it, and a JSON file with all that the figures depend on."""

import json
import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bench.measuring import Figures, Sizes
from hybridmesh.infra.nats.binary import find_binary, read_version

RESULTS = Path(__file__).parent / "results"


def show(title: str, figures: Sequence[Figures]) -> None:
    """Print the table."""
    table = Table(title=title, title_justify="left")
    table.add_column("one task")
    headings = ("p50 ms", "p99 ms", "tasks/s", "synced writes", "CPU ms", "server CPU ms")
    for heading in headings:
        table.add_column(heading, justify="right")
    for row in figures:
        numbers = (row.p50_ms, row.p99_ms, row.tasks_per_s, row.writes, row.process_cpu_ms, row.server_cpu_ms)
        table.add_row(row.name, *(f"{number:,.1f}" for number in numbers))
    Console(width=110).print(table)


def write(name: str, figures: Sequence[Figures], sizes: Sizes, load_before: float, **more: float) -> None:
    """Write ``results/<name>.json`` of timed tasks, and ``more`` of what was measured beside them."""
    rows = [{**asdict(row), "writes": round(row.writes, 2)} for row in figures]
    write_report(
        name,
        {**surroundings(load_before), "sync_interval": "always", "samples": asdict(sizes), "figures": rows, **more},
    )


def surroundings(load_before: float) -> dict[str, object]:
    """Return what figures depend on; the load average tells how busy the machine was with other things."""
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "cores": os.cpu_count(),
        "load_average": {"before": round(load_before, 2), "after": round(os.getloadavg()[0], 2)},
        "versions": {
            "python": platform.python_version(),
            "nats-server": ".".join(map(str, read_version(find_binary(None)))),
            "nats-py": version("nats-py"),
            "hybridmesh": version("hybridmesh"),
        },
    }


def write_report(name: str, report: Mapping[str, object]) -> None:
    """Write ``results/<name>.json``."""
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"{name}.json").write_text(json.dumps(report, indent=2) + "\n", "utf-8")
