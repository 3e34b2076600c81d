"""The figures of the model's card: those of ``results/privacy.json``, so that it cannot say anything else."""

import hashlib
import re
from collections.abc import Mapping
from typing import Any

from house import CHECKOUT

MODEL = CHECKOUT / "agents" / "classifier" / "model"
CARD = MODEL / "CARD.md"
_TABLE = re.compile(r"(?<=\n)\| set \| detector \|.*\n(?:\|.*\n)+")
_HEAD = "| set | detector | leak | precision | F1 | F2 | clean texts touched |\n|---|---|---|---|---|---|---|\n"

Scores = Mapping[str, Mapping[str, Mapping[str, Any]]]


def fingerprint() -> dict[str, str]:
    """Return what the figures are of: the SHA-256 of the model and of its thresholds."""
    return {name: hashlib.sha256((MODEL / name).read_bytes()).hexdigest() for name in ("model.onnx", "thresholds.json")}


def table(scores: Scores) -> str:
    """Return the table in Markdown; ``scores`` as the results hold them."""
    rows = [_row(corpus, name, score) for corpus, row in sorted(scores.items()) for name, score in row.items()]
    return _HEAD + "".join(rows)


def written() -> str:
    """Return the table as the card has it; raises ValueError when it has none."""
    found = _TABLE.search(CARD.read_text("utf-8"))
    if found is None:
        raise ValueError("the card has no table of figures")
    return found[0]


def write(scores: Scores) -> None:
    """Put the figures into the card."""
    CARD.write_text(CARD.read_text("utf-8").replace(written(), table(scores)), "utf-8")


def _row(corpus: str, name: str, score: Mapping[str, Any]) -> str:
    touched = "-" if score["touched"] is None else f"{score['touched']:.3f} of {score['clean']}"
    cells = (f"{score[key]:.3f}" for key in ("leak", "precision", "f1", "f2"))
    return f"| {' | '.join((corpus, name, *cells, touched))} |\n"
