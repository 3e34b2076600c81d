"""``python -m hybridmesh.infra.pii_training``: makes the classifier by its recipe and writes it into a folder.

What is done is kept beside it, training by training, so that one that was interrupted goes on.
"""

import argparse
import hashlib
import logging
import shutil
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

from hybridmesh.infra.pii_training.catalogues import fetch_catalogues, read_catalogues
from hybridmesh.infra.pii_training.corpora import CORPORA, read_corpus
from hybridmesh.infra.pii_training.export import export
from hybridmesh.infra.pii_training.rampart import build, fetch_base, labels_of
from hybridmesh.infra.pii_training.recipe import RECIPE, Training, go_on, mean_of, missing, shortened
from hybridmesh.infra.pii_training.released import read_released
from hybridmesh.infra.pii_training.synthesis import Labelled, synthesise
from hybridmesh.infra.pii_training.training import encode, save_labels, train
from hybridmesh.infra.pii_training.values import LOCALES

_SMALL, _TIMES = "wnut", 4  # the one corpus of noisy English is small

logger = logging.getLogger(__name__)


def main() -> None:
    """Train and export; the arguments say where the base and the corpora are."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--base", type=Path, help="the base model's folder; without it, it is fetched")
    parser.add_argument("--corpora", type=Path, help="the folder of the open corpora; without it, synthetic texts only")
    parser.add_argument("--out", type=Path, required=True, help="where the model goes, and what is done so far")
    parser.add_argument("--start", type=Path, help="a checkpoint or a released model.onnx: one training from it alone")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--steps", type=int, help="so many of each training at most, to try it")
    parser.add_argument("--texts", type=int, help="so many synthetic texts of each at most")
    parser.add_argument(
        "--export", type=Path, nargs="+", help="train nothing: export the mean of these checkpoints or released models"
    )
    given = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    given.out.mkdir(parents=True, exist_ok=True)
    base: Path = given.base or fetch_base(given.out)
    labels = labels_of(base)
    model = build(base, labels)
    if given.export:
        weights, shares = [_weights(path) for path in given.export], [1 / len(given.export)] * len(given.export)
    else:
        most = max(training.steps for training in RECIPE), max(training.texts for training in RECIPE)
        plan = shortened(go_on() if given.start else RECIPE, given.steps or most[0], given.texts or most[1])
        begun = model.state_dict() if given.start is None else _weights(given.start)
        work = given.out / f"plan-{_key(plan, given)}"  # another plan takes up nothing of this one
        work.mkdir(exist_ok=True)
        _train(plan, begun, model, base, labels, given, work)
        weights = [_weights(_done(work, training.name)) for training in plan]
        shares = [training.share for training in plan]
    model.load_state_dict(mean_of(weights, shares))
    export(model, model.config.hidden_size, given.out)
    save_labels(labels, given.out)
    shutil.copy(base / "tokenizer.json", given.out / "tokenizer.json")


def _train(
    plan: tuple[Training, ...],
    begun: Mapping[str, Any],
    model: Any,
    base: Path,
    labels: tuple[str, ...],
    given: argparse.Namespace,
    work: Path,
) -> None:
    """Do what is missing of the plan; ``begun`` are the weights of the base."""
    torch: Any = import_module("torch")
    begun = {name: value.clone() for name, value in begun.items()}
    tokenizer: Any = import_module("tokenizers").Tokenizer.from_file(str(base / "tokenizer.json"))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    catalogues = read_catalogues(fetch_catalogues(given.out), LOCALES)
    have = [training.name for training in plan if _done(work, training.name).is_file()]
    for training in missing(plan, have):
        texts = [*synthesise(training.texts, training.seed, catalogues), *_corpora(given.corpora)]
        logger.info("%s: %d texts, %d of them synthetic", training.name, len(texts), training.texts)
        model.load_state_dict(_weights(_done(work, training.after)) if training.after else begun)
        train(
            model,
            [encode(text, tokenizer, labels) for text in texts],
            training,
            threads=given.threads,
            mask=tokenizer.token_to_id("[MASK]"),
            record=work / f"{training.name}.part",
        )
        written = work / f"{training.name}.new"
        torch.save(model.state_dict(), written)
        written.replace(_done(work, training.name))


def _key(plan: tuple[Training, ...], given: argparse.Namespace) -> str:
    start = b"" if given.start is None else given.start.read_bytes()
    return hashlib.sha256(repr((plan, given.corpora is None)).encode() + start).hexdigest()[:8]


def _done(folder: Path, name: str) -> Path:
    return folder / f"{name}.pt"


def _weights(start: Path) -> dict[str, Any]:
    torch: Any = import_module("torch")
    if start.suffix == ".onnx":
        return {name: torch.tensor(value) for name, value in read_released(start).items()}
    return dict(torch.load(start))


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
