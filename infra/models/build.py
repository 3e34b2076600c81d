"""Makes the prepared files of a model out of its checked source files, by kind."""

import json
import shutil
from pathlib import Path
from typing import Final, cast

from hybridmesh.infra.models.entry import Entry
from hybridmesh.infra.models.progress import Amount, Progress

REVISION: Final = 4  # raise it when a causal build gives other bytes than before: prepared ones are then rebuilt
OTHERS_REVISION: Final = 1
THREADS: Final = 2


def build_model(
    entry: Entry, files: dict[str, Path], work: Path, target: Path, progress: Progress, *, half: bool
) -> None:
    """Write the model and its NOTICE into ``target``; ``work`` is for what is needed in between.

    ``half`` makes a decoder reckon in 16 bit, as a GPU does.
    """
    if entry.kind == "causal":
        from hybridmesh.infra.models.gguf_build import build_from_gguf

        (source,) = files.values()
        build_from_gguf(
            source, target, entry.profile, THREADS,
            lambda done, total: progress("building", Amount(done, total, is_bytes=False)), half=half,
        )  # fmt: skip
    elif entry.kind == "token-classifier":
        from hybridmesh.infra.models.requantise import requantise

        progress("building", None)
        requantise(files["model_q4.onnx"], work, target / "model.onnx")
        shutil.copyfile(files["tokenizer.json"], target / "tokenizer.json")
        write_labels(files["config.json"], target / "labels.json")
    else:
        for name, path in files.items():
            shutil.copyfile(path, target / name)
    (target / "NOTICE").write_text(entry.notice, "utf-8")


def fingerprint(entry: Entry, *, half: bool) -> str:
    """Return what the prepared files depend on, as a hash: sources, profile and the builder's revision."""
    if entry.kind != "causal":
        return entry.fingerprint(str(OTHERS_REVISION))
    return entry.fingerprint(f"{REVISION} half" if half else str(REVISION))


def write_labels(config: Path, target: Path) -> None:
    """Write the classifier's labels as a JSON list, index by index, from a Hugging Face ``config.json``."""
    names = cast("dict[str, str]", json.loads(config.read_text("utf-8"))["id2label"])
    target.write_text(json.dumps([names[str(index)] for index in range(len(names))]), "utf-8")
