"""``python -m hybridmesh.infra.pii_training``: trains the classifier from the base and writes it into a folder."""

import argparse
import logging
import shutil
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from hybridmesh.infra.pii_training.corpora import CORPORA, read_corpus
from hybridmesh.infra.pii_training.export import export
from hybridmesh.infra.pii_training.rampart import build, fetch_base, labels_of, thin_out
from hybridmesh.infra.pii_training.synthesis import Labelled, synthesise
from hybridmesh.infra.pii_training.training import encode, save_labels, train

_TWICE = "wnut"  # the one corpus of noisy English is small

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Stage:
    """A part of the training: how many synthetic texts and steps, and which layers are kept before it."""

    seed: int
    texts: int
    steps: int
    layers: tuple[int, ...] = ()


# The whole base first, which learns the new labels; then four of its six layers, which are half as fast again.
STAGES = (
    Stage(20261125, 40_000, 3_600),
    Stage(20261126, 30_000, 1_800, layers=(0, 1, 3, 5)),
    Stage(20261127, 30_000, 1_300),
)


def main() -> None:
    """Train and export; the arguments say where the base and the corpora are."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--base", type=Path, help="the base model's folder; without it, it is fetched")
    parser.add_argument("--corpora", type=Path, help="the folder of the open corpora; without it, synthetic texts only")
    parser.add_argument("--out", type=Path, required=True, help="where the model goes")
    parser.add_argument("--share", type=float, default=1.0, help="of the texts and steps, to see that it runs")
    given = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    given.out.mkdir(parents=True, exist_ok=True)
    base: Path = given.base or fetch_base(given.out)
    tokenizer: Any = import_module("tokenizers").Tokenizer.from_file(str(base / "tokenizer.json"))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    labels = labels_of(base)
    model = build(base, labels)
    corpora = _corpora(given.corpora)
    for stage in STAGES:
        if stage.layers:
            thin_out(model, stage.layers)
        texts = [*synthesise(int(stage.texts * given.share), stage.seed), *corpora]
        logger.info("%d texts, %d steps", len(texts), stage.steps)
        train(
            model,
            [encode(text, tokenizer, labels) for text in texts],
            steps=max(1, int(stage.steps * given.share)),
            seed=stage.seed,
            checkpoint=given.out / "checkpoint.pt",
        )
    export(model, model.config.hidden_size, given.out)
    save_labels(labels, given.out)
    shutil.copy(base / "tokenizer.json", given.out / "tokenizer.json")


def _corpora(folder: Path | None) -> list[Labelled]:
    if folder is None or not folder.is_dir():
        logger.warning("no corpora: training on synthetic texts alone")
        return []
    found: list[Labelled] = []
    for corpus in CORPORA:
        found += list(read_corpus(folder, corpus)) * (2 if corpus.file.startswith(_TWICE) else 1)
    return found


if __name__ == "__main__":
    main()
