"""Loads a freshly built model and puts it to work once, so that nothing broken ever reaches the cache.

``python -m … KIND FOLDER known|any`` ends with 0, or with ``BROKEN`` after a line that says why.
"""

import json
import sys
from pathlib import Path
from typing import Any, cast

import numpy as np

from hybridmesh.agents.worker.onnx_engine import Engine
from hybridmesh.bus.errors import MeshError, SetupError
from hybridmesh.infra.models.entry import Kind
from hybridmesh.schemas.inference import CompletionRequest

SENTENCE = "Please call Dana Whitfield at 12 Baker Street in London."
MAX_TOKENS = 8
EMBEDDING_SIZE = 384
BROKEN = 3


def load_test(kind: Kind, folder: Path, *, known: bool = True) -> None:
    """Raise SetupError unless the model loads and gives an answer of the right form, or a right one if ``known``."""
    try:
        works = {"causal": _generate, "token-classifier": _classify, "embedder": _embed}[kind](folder, known)
    except Exception as error:
        why = str(error) if isinstance(error, MeshError) else type(error).__name__
        raise SetupError(
            f"the model was built but does not load ({why})", remedy="report this with your platform"
        ) from error
    if not works:
        raise SetupError("the model was built but gives no sensible answer", remedy="report this with your platform")


def _generate(folder: Path, known: bool) -> bool:
    engine = Engine.load(folder, name="load-test")
    request = CompletionRequest(system="Answer in one word.", user="Name a colour.", max_tokens=MAX_TOKENS)
    return bool(engine.run(request).text.strip()) or not known


def _classify(folder: Path, known: bool) -> bool:
    labels = cast("list[str]", json.loads((folder / "labels.json").read_text("utf-8")))
    logits = _encode(folder)
    best = cast("list[int]", logits[0].argmax(-1).tolist())
    found = {labels[index].partition("-")[2] for index in best}
    fits = logits.shape[-1] == len(labels) and bool(np.isfinite(logits).all())
    return fits and (not known or found >= {"GIVEN_NAME", "CITY"})


def _embed(folder: Path, known: bool) -> bool:
    states = _encode(folder)
    fits = states.shape[-1] == EMBEDDING_SIZE or not known
    return fits and bool(np.isfinite(states).all()) and float(np.ptp(states)) > 0


def _encode(folder: Path) -> "np.ndarray[tuple[int, ...], np.dtype[np.float32]]":
    """Run the sentence through a BERT-like encoder and return its first output (1, tokens, values)."""
    import onnxruntime  # type: ignore[import-untyped] # ships no types
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    ids = np.array([tokenizer.encode(SENTENCE).ids], np.int64)
    inputs = {"input_ids": ids, "attention_mask": np.ones_like(ids), "token_type_ids": np.zeros_like(ids)}
    session: Any = onnxruntime.InferenceSession(str(folder / "model.onnx"), providers=["CPUExecutionProvider"])
    inputs = {value.name: inputs[value.name] for value in session.get_inputs()}
    return cast("np.ndarray[tuple[int, ...], np.dtype[np.float32]]", session.run(None, inputs)[0])


if __name__ == "__main__":
    try:
        load_test(cast("Kind", sys.argv[1]), Path(sys.argv[2]), known=sys.argv[3] == "known")
    except SetupError as broken:
        sys.stdout.write(f"{broken}\n")
        sys.exit(BROKEN)
