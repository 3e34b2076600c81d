"""Loads a freshly built model and puts it to work once: ``python -m hybridmesh.infra.models.load_test KIND FOLDER``.

Ends with 0, or with ``BROKEN`` after a line that says why.
"""

import json
import sys
from pathlib import Path
from typing import cast

import numpy as np

from hybridmesh.agents.worker.onnx_engine import Engine
from hybridmesh.bus.errors import SetupError
from hybridmesh.infra.models.entry import Kind
from hybridmesh.schemas.inference import CompletionRequest

SENTENCE = "Please call Dana Whitfield at 12 Baker Street in London."
MAX_TOKENS = 8
EMBEDDING_SIZE = 384
BROKEN = 3


def load_test(kind: Kind, folder: Path) -> None:
    """Raise SetupError unless the model loads and gives an answer of the right form."""
    try:
        works = {
            "causal": _generate, "token-classifier": _classify, "embedder": _embed
        }[kind](folder)  # fmt: skip
    except Exception as error:
        raise SetupError(
            f"the model was built but does not load ({type(error).__name__})", remedy="report this with your platform"
        ) from error
    if not works:
        raise SetupError("the model was built but gives no sensible answer", remedy="report this with your platform")


def _generate(folder: Path) -> bool:
    engine = Engine.load(folder, name="load-test", provider="cpu")
    request = CompletionRequest(system="Answer in one word.", user="Name a colour.", max_tokens=MAX_TOKENS)
    return bool(engine.run(request).text.strip())


def _classify(folder: Path) -> bool:
    labels = cast("list[str]", json.loads((folder / "labels.json").read_text("utf-8")))
    logits = _encode(folder)
    best = cast("list[int]", logits[0].argmax(-1).tolist())
    found = {labels[index].partition("-")[2] for index in best}
    return logits.shape[-1] == len(labels) and {"GIVEN_NAME", "CITY"} <= found


def _embed(folder: Path) -> bool:
    states = _encode(folder)
    return states.shape[-1] == EMBEDDING_SIZE and bool(np.isfinite(states).all()) and float(np.ptp(states)) > 0


def _encode(folder: Path) -> "np.ndarray[tuple[int, ...], np.dtype[np.float32]]":
    """Run the sentence through a BERT-like encoder and return its first output (1, tokens, values)."""
    import onnxruntime  # type: ignore[import-untyped] # ships no types
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    ids = np.array([tokenizer.encode(SENTENCE).ids], np.int64)
    inputs = {"input_ids": ids, "attention_mask": np.ones_like(ids), "token_type_ids": np.zeros_like(ids)}
    session = onnxruntime.InferenceSession(str(folder / "model.onnx"), providers=["CPUExecutionProvider"])
    return cast("np.ndarray[tuple[int, ...], np.dtype[np.float32]]", session.run(None, inputs)[0])


if __name__ == "__main__":
    try:
        load_test(cast("Kind", sys.argv[1]), Path(sys.argv[2]))
    except SetupError as broken:
        sys.stdout.write(f"{broken}\n")
        sys.exit(BROKEN)
