"""How far a packed model agrees with the float model of the same source, position by position."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer

from bench.models.float_twin import Logits

TEXTS = Path(__file__).parent / "agreement_texts.txt"


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """Over all positions: the share with the same best token, and the mean divergence in nats."""

    positions: int
    same_best: float
    divergence: float


def read_texts() -> dict[str, str]:
    """Return the texts by title: tickets in four languages, a chat, code, a record."""
    parts = TEXTS.read_text("utf-8").split("=== ")[1:]
    return {title: body.strip("\n") for title, _, body in (part.partition("\n") for part in parts)}


def tokenise(folder: Path) -> dict[str, list[int]]:
    """Return the tokens of each text, by a prepared model's own tokenizer."""
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    return {title: tokenizer.encode(text).ids for title, text in read_texts().items()}


def compare(wanted: Mapping[str, Logits], found: Mapping[str, Logits]) -> dict[str, Agreement]:
    """Return the agreement on each text, and on all of them under "all"."""
    same = {title: wanted[title].argmax(-1) == found[title].argmax(-1) for title in wanted}
    apart = {title: _divergence(wanted[title], found[title]) for title in wanted}
    same["all"] = np.concatenate(list(same.values()))
    apart["all"] = np.concatenate(list(apart.values()))
    return {
        title: Agreement(
            positions=len(same[title]),
            same_best=round(float(same[title].mean()), 4),
            divergence=round(float(apart[title].mean()), 4),
        )
        for title in same
    }


def _divergence(wanted: Logits, found: Logits) -> Logits:
    p, q = _log_softmax(wanted), _log_softmax(found)
    return np.asarray((np.exp(p) * (p - q)).sum(-1), np.float32)


def _log_softmax(logits: Logits) -> Logits:
    shifted = logits - logits.max(-1, keepdims=True)
    return np.asarray(shifted - np.log(np.exp(shifted).sum(-1, keepdims=True)), np.float32)
