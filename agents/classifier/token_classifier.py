"""The ONNX token classifier: reads a text of any length in overlapping windows and tags its private tokens."""

import json
from collections.abc import Callable, Iterator, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol, cast

import numpy as np
import numpy.typing as npt

from hybridmesh.agents.classifier.tags import Tag
from hybridmesh.bus.errors import ModelUnavailable

MISSING = "detector-missing"  # the reason of an error that says that there is no model to read with

_WINDOW = 126  # tokens a window, as in training, [CLS] and [SEP] on top; attention costs grow with its square
_OVERLAP = 20  # tokens read twice, so that no name is seen only at an edge

_SLOWER = ["SkipLayerNormFusion"]  # takes three times as long as the three operators that it fuses

Floats = npt.NDArray[np.float32]


class _Encoding(Protocol):
    ids: list[int]
    offsets: list[tuple[int, int]]


class _Tokenizer(Protocol):
    def encode(self, sequence: str, *, add_special_tokens: bool) -> _Encoding: ...
    def token_to_id(self, token: str) -> int | None: ...
    def no_truncation(self) -> None: ...
    def no_padding(self) -> None: ...


class _Session(Protocol):
    def run(self, output_names: list[str] | None, input_feed: dict[str, npt.NDArray[np.int64]]) -> list[Floats]: ...


class TokenClassifier:
    """A BERT token classifier with B-, I- and O labels, prepared in ``folder`` by the model store.

    It is loaded at its first use, so that the process starts before the model is there. Not thread-safe: one thread
    at a time, which is also the fastest on a machine of few cores.
    """

    def __init__(self, folder: Path, *, threads: int = 1) -> None:
        self._folder = folder
        self._threads = threads
        self._loaded: tuple[_Tokenizer, _Session, tuple[str, ...]] | None = None

    def tag(self, text: str, threshold: float, tick: Callable[[], None]) -> list[Tag]:
        """Return the tokens that are private with a probability (1 - P(O)) of ``threshold`` or more, in order.

        ``tick`` is called before each window and may raise to stop.

        Raises:
            ModelUnavailable: the model is not prepared, or cannot be loaded.

        """
        tokenizer, session, labels = self._load()
        encoding = tokenizer.encode(text, add_special_tokens=False)
        if not encoding.ids:
            return []
        edges = (tokenizer.token_to_id("[CLS]") or 0, tokenizer.token_to_id("[SEP]") or 0)
        best = np.zeros((len(encoding.ids), len(labels)), dtype=np.float32)
        best[:, labels.index("O")] = 1
        outside = labels.index("O")
        for start, end in _windows(len(encoding.ids)):
            tick()
            seen = _probabilities(session, [edges[0], *encoding.ids[start:end], edges[1]])[1:-1]
            surer = seen[:, outside] < best[start:end, outside]
            best[start:end][surer] = seen[surer]
        return list(_tags(best, encoding.offsets, labels, threshold))

    def _load(self) -> tuple[_Tokenizer, _Session, tuple[str, ...]]:
        if self._loaded is None:
            try:
                self._loaded = _load(self._folder, self._threads)
            except Exception as error:  # the SDKs raise what they like; whatever it is, there is no detector
                raise ModelUnavailable(f"detector: {type(error).__name__}", reason=MISSING) from error
        return self._loaded


def _load(folder: Path, threads: int) -> tuple[_Tokenizer, _Session, tuple[str, ...]]:
    from tokenizers import Tokenizer

    onnx: Any = import_module("onnxruntime")  # has no types of its own
    options = onnx.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    session = onnx.InferenceSession(
        str(folder / "model.onnx"), options, providers=["CPUExecutionProvider"], disabled_optimizers=_SLOWER
    )
    tokenizer = cast("_Tokenizer", Tokenizer.from_file(str(folder / "tokenizer.json")))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    labels = tuple(cast("list[str]", json.loads((folder / "labels.json").read_text("utf-8"))))
    if "O" not in labels:
        raise ValueError("labels without O")
    return tokenizer, cast("_Session", session), labels


def _windows(length: int) -> Iterator[tuple[int, int]]:
    start = 0
    while True:
        yield start, min(length, start + _WINDOW)
        if start + _WINDOW >= length:
            return
        start += _WINDOW - _OVERLAP


def _probabilities(session: _Session, ids: Sequence[int]) -> Floats:
    row = np.array([ids], dtype=np.int64)
    feed = {"input_ids": row, "attention_mask": np.ones_like(row), "token_type_ids": np.zeros_like(row)}
    logits = session.run(["logits"], feed)[0][0]
    powers = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return cast("Floats", powers / powers.sum(axis=-1, keepdims=True))


def _tags(
    probabilities: Floats, offsets: Sequence[tuple[int, int]], labels: tuple[str, ...], threshold: float
) -> Iterator[Tag]:
    outside = labels.index("O")
    private = 1 - probabilities[:, outside]
    inside = probabilities.copy()
    inside[:, outside] = -1
    choices = inside.argmax(axis=-1)
    for index in np.flatnonzero(private >= threshold):
        start, end = offsets[int(index)]
        if start == end:
            continue
        prefix, _, label = labels[int(choices[index])].partition("-")
        yield Tag(start, end, label, min(1.0, max(0.0, float(private[index]))), begins=prefix == "B")
