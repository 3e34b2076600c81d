"""What the privacy benchmark leaves behind: tables for whoever ran it, and a JSON file with all versions."""

import json
import os
import platform
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bench.privacy import card
from bench.privacy.detectors import BENCH_PYTHON
from bench.privacy.scoring import Score

RESULTS = Path(__file__).parents[1] / "results" / "privacy.json"
_PEERS = ("presidio-analyzer", "spacy")
_OURS = ("hybridmesh", "onnxruntime-gpu", "tokenizers", "phonenumbers", "numpy")


@dataclass(frozen=True, slots=True)
class Speed:
    """Short texts a second, and the 95th percentile of a text of 500 words; one process, one thread."""

    texts_per_s: float
    p95_ms_at_500_words: float


def show(scores: Mapping[str, Mapping[str, Score]], speeds: Mapping[str, Speed]) -> None:
    """Print for each corpus a table of the detectors and one of the types, and the speeds."""
    console = Console(width=118)
    for corpus, row in scores.items():
        table = Table(title=f"{corpus} ({next(iter(row.values())).gold} labels)", title_justify="left")
        for heading in ("detector", "leak", "precision", "F1", "F2", "clean touched"):
            table.add_column(heading, justify="left" if heading == "detector" else "right")
        for name, score in row.items():
            touched = "-" if score.touched is None else f"{score.touched:.3f} of {score.clean}"
            figures = (score.leak, score.precision, score.f1, score.f2)
            table.add_row(name, *(f"{figure:.3f}" for figure in figures), touched)
        console.print(table)
        kinds = Table(title="share wholly covered, by type", title_justify="left")
        for heading in ("type", "labels", *row):
            kinds.add_column(heading, justify="left" if heading == "type" else "right")
        for kind, (_, number) in next(iter(row.values())).covered.items():
            kinds.add_row(kind, str(number), *(f"{score.covered[kind][0]:.2f}" for score in row.values()))
        console.print(kinds)
    for name, speed in speeds.items():
        console.print(f"{name}: {speed.texts_per_s:.0f} texts/s, p95 {speed.p95_ms_at_500_words:.0f} ms at 500 words")
    ours, *theirs = speeds.items()
    for name, speed in theirs:
        console.print(f"{ours[0]}: {ours[1].texts_per_s / speed.texts_per_s:.2f} times the texts a second of {name}")


def write(
    scores: Mapping[str, Mapping[str, Score]], speeds: Mapping[str, Speed], settings: Mapping[str, object]
) -> None:
    """Write ``results/privacy.json``, and the figures into the model's card."""
    rounded = {corpus: {name: _rounded(score) for name, score in row.items()} for corpus, row in scores.items()}
    report: dict[str, object] = {
        "date": datetime.now(UTC).date().isoformat(),
        "cores": os.cpu_count(),
        "load_average": round(os.getloadavg()[0], 2),
        "versions": {
            "python": platform.python_version(),
            **{name: found for name in _OURS if (found := _version(name))},
            **_peer_versions(_PEERS),
        },
        "model": card.fingerprint(),
        "settings": dict(settings),
        "speeds": {
            name: {key: round(value, 1) for key, value in asdict(speed).items()} for name, speed in speeds.items()
        },
        "scores": rounded,
    }
    RESULTS.write_text(json.dumps(report, indent=1) + "\n", "utf-8")
    card.write(rounded)


def _rounded(score: Score) -> dict[str, object]:
    figures = {
        key: round(value, 4) if isinstance(value, float) else value
        for key, value in asdict(score).items()
        if key != "covered"
    }
    covered = {kind: f"{share:.3f} of {number}" for kind, (share, number) in score.covered.items()}
    return {**figures, "covered": covered}


def _version(package: str) -> str | None:
    try:
        return version(package)
    except ModuleNotFoundError:
        return None


def _peer_versions(packages: Sequence[str]) -> dict[str, str]:
    script = "import sys\nfrom importlib.metadata import version\nprint(*map(version, sys.argv[1:]))"
    ran = subprocess.run([BENCH_PYTHON, "-c", script, *packages], capture_output=True, text=True, check=True)
    return dict(zip(packages, ran.stdout.split(), strict=True))
