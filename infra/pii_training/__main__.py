"""``python -m hybridmesh.infra.pii_training``: trains the classifier from the base and writes it into a folder."""

import argparse
import logging
import shutil
from importlib import import_module
from pathlib import Path
from typing import Any

from hybridmesh.infra.pii_training.catalogues import fetch_catalogues, read_catalogues
from hybridmesh.infra.pii_training.corpora import CORPORA, read_corpus
from hybridmesh.infra.pii_training.export import export
from hybridmesh.infra.pii_training.rampart import build, fetch_base, labels_of
from hybridmesh.infra.pii_training.released import read_released
from hybridmesh.infra.pii_training.synthesis import Labelled, synthesise
from hybridmesh.infra.pii_training.training import encode, save_labels, train
from hybridmesh.infra.pii_training.values import LOCALES

_SEED = 20261125
_TEXTS = 300_000
_STEPS = 12_000
_SMALL, _TIMES = "wnut", 4  # the one corpus of noisy English is small

logger = logging.getLogger(__name__)


def main() -> None:
    """Train and export; the arguments say where the base and the corpora are."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--base", type=Path, help="the base model's folder; without it, it is fetched")
    parser.add_argument("--corpora", type=Path, help="the folder of the open corpora; without it, synthetic texts only")
    parser.add_argument("--out", type=Path, required=True, help="where the model goes")
    parser.add_argument("--steps", type=int, default=_STEPS)
    parser.add_argument(
        "--start", type=Path, help="a checkpoint, or a released model.onnx, to go on from in place of the base"
    )
    parser.add_argument("--seed", type=int, default=_SEED, help="another one, other texts")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--texts", type=int, default=_TEXTS, help="how many synthetic texts")
    parser.add_argument(
        "--export", type=Path, nargs="+", help="train nothing: export the mean of these checkpoints or released models"
    )
    given = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    given.out.mkdir(parents=True, exist_ok=True)
    base: Path = given.base or fetch_base(given.out)
    checkpoint = given.out / "checkpoint.pt"
    labels = labels_of(base)
    model = build(base, labels)
    starts: list[Path] = given.export or [path for path in (given.start,) if path]
    if starts:
        model.load_state_dict(_mean([_weights(start) for start in starts]))
    if not given.export:
        tokenizer: Any = import_module("tokenizers").Tokenizer.from_file(str(base / "tokenizer.json"))
        tokenizer.no_truncation()
        tokenizer.no_padding()
        catalogues = read_catalogues(fetch_catalogues(given.out), LOCALES)
        texts = [*synthesise(given.texts, given.seed, catalogues), *_corpora(given.corpora)]
        logger.info("%d texts, %d of them synthetic", len(texts), given.texts)
        train(
            model,
            [encode(text, tokenizer, labels) for text in texts],
            steps=given.steps,
            threads=given.threads,
            seed=given.seed,
            mask=tokenizer.token_to_id("[MASK]"),
            checkpoint=checkpoint,
        )
    export(model, model.config.hidden_size, given.out)
    save_labels(labels, given.out)
    shutil.copy(base / "tokenizer.json", given.out / "tokenizer.json")


def _weights(start: Path) -> dict[str, Any]:
    torch: Any = import_module("torch")
    if start.suffix == ".onnx":
        return {name: torch.tensor(value) for name, value in read_released(start).items()}
    return dict(torch.load(start))


def _mean(states: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the mean of weights that were trained on from one another: it errs less on texts unlike those of training.

    Wortsman and others, "Model soups", 2022 (arXiv 2203.05482).
    """
    return {name: sum(state[name] for state in states) / len(states) for name in states[0]}


def _corpora(folder: Path | None) -> list[Labelled]:
    if folder is None or not folder.is_dir():
        logger.warning("no corpora: training on synthetic texts alone")
        return []
    found: list[Labelled] = []
    for corpus in CORPORA:
        found += list(read_corpus(folder, corpus)) * (_TIMES if corpus.file.startswith(_SMALL) else 1)
    return found


if __name__ == "__main__":
    main()
