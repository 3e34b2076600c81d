"""What the quality benchmark leaves behind: tables, and ``results/quality.json`` with all that the figures depend on.

A run replaces the figures of its own models and keeps the others', as long as the cases are the same.
"""

import json
import os
import platform
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from bench.quality.cases import LANGUAGES, Cases, fingerprint
from bench.quality.scoring import Outcome, Share, tally
from hybridmesh.schemas.measured import FIGURES, RELIANCES, Figure, Reliance, relied_on

RESULTS = Path(__file__).parents[1] / "results" / "quality.json"
_VERSIONS = ("hybridmesh", "onnxruntime-gpu", "onnxruntime", "onnxruntime-genai-cuda", "onnxruntime-genai")


def show(model: str, outcomes: Sequence[Outcome]) -> None:
    """Print a row for each figure: over all languages with its interval, and by language."""
    shares = tally(outcomes)
    table = Table(title=model, title_justify="left")
    table.add_column("row")
    for heading in ("right", "of", "share", "95 %", *LANGUAGES):
        table.add_column(heading, justify="right")
    table.add_column("outcomes")
    for row in dict.fromkeys(row for row, _ in shares):
        whole = shares[row, "all"]
        low, high = whole.interval
        table.add_row(
            row,
            str(whole.good),
            str(whole.of),
            f"{whole.share:.2f}",
            f"{low:.2f}-{high:.2f}",
            *(_short(shares.get((row, language))) for language in LANGUAGES),
            " ".join(f"{name} {number}" for name, number in sorted(whole.outcomes.items())),
        )
    Console(width=150).print(table)


def write(model: str, outcomes: Sequence[Outcome], about: Mapping[str, object], cases: Sequence[Cases]) -> None:
    """Put a model's figures into the results file, with versions."""
    before = read_results()
    models: dict[str, Any] = before["models"] if before.get("cases", {}).get("sha256") == fingerprint() else {}
    models[model] = {
        "date": datetime.now(UTC).date().isoformat(),
        "cores": os.cpu_count(),
        "load_average": round(os.getloadavg()[0], 2),
        **about,
        "versions": {"python": platform.python_version(), **_versions()},
        "rows": {f"{row} {language}": _figures(share) for (row, language), share in tally(outcomes).items()},
        "not_right": _not_right(outcomes),
    }
    counts = {each.language: each.counts() for each in cases}
    report = {
        "cases": {"sha256": fingerprint(), "total": sum(sum(each.values()) for each in counts.values()), **counts},
        "models": models,
    }
    RESULTS.write_text(json.dumps(report, indent=1, ensure_ascii=False) + "\n", "utf-8")


def reliance_page() -> str:
    """Return what stands in README.md below its last heading: who relies on what, and whether a model reaches it."""
    lines = ["| asks the model | row | least | " + " | ".join(FIGURES) + " | below it |"]
    lines.append("|---" * (4 + len(FIGURES)) + "|")
    for each in RELIANCES:
        cells = [_reached(each, FIGURES[name].get(each.row), name) for name in FIGURES]
        least = "-" if each.least is None else f"{each.least:.2f}"
        asks = f"`{each.asks.removeprefix('agents/')}`"
        lines.append(" | ".join((f"| {asks}", f"`{each.row}`", least, *cells, f"{each.below} |")))
    return "\n".join(lines) + "\n"


def _reached(reliance: Reliance, figure: Figure | None, model: str) -> str:
    if figure is None:
        return "not measured"
    said = f"{figure.right} of {figure.of}, low {figure.low:.2f}"
    return f"**{said}**" if relied_on(model, reliance) else said


def read_results() -> dict[str, Any]:
    """Return the committed results, empty where there are none."""
    return json.loads(RESULTS.read_text("utf-8")) if RESULTS.is_file() else {}


def _figures(share: Share) -> dict[str, object]:
    low, high = share.interval
    return {
        "right": share.good,
        "of": share.of,
        "share": round(share.share, 3),
        "low": round(low, 3),
        "high": round(high, 3),
        "outcomes": dict(sorted(share.outcomes.items())),
    }


def _not_right(outcomes: Sequence[Outcome]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for one in outcomes:
        if not one.good:
            found.setdefault(one.row, []).append(f"{one.case}: {one.outcome} {one.given}".rstrip())
    return found


def _short(share: Share | None) -> str:
    return "-" if share is None else f"{share.good}/{share.of}"


def _versions() -> dict[str, str]:
    found: dict[str, str] = {}
    for package in _VERSIONS:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found
