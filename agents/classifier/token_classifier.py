"""The ONNX token classifier: reads a text of any length in overlapping windows and tags its private tokens."""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol, cast

import numpy as np
import numpy.typing as npt

from hybridmesh.agents.classifier.letter_case import Cases, cases
from hybridmesh.agents.classifier.tags import Tag
from hybridmesh.bus.errors import ModelUnavailable

MISSING = "detector-missing"  # the reason of an error that says that there is no model to read with

_WINDOW = 126  # tokens a window, as in training, [CLS] and [SEP] on top; attention costs grow with its square
_OVERLAP = 20  # tokens read twice, so that no name is seen only at an edge

READS_CASE = "letter_case"  # in the metadata of a model whose token types say how words are written
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


class _Metadata(Protocol):
    custom_metadata_map: dict[str, str]


class _Session(Protocol):
    def get_modelmeta(self) -> _Metadata: ...
    def run(self, output_names: list[str] | None, input_feed: dict[str, npt.NDArray[np.int64]]) -> list[Floats]: ...


@dataclass(frozen=True, slots=True)
class _Loaded:
    tokenizer: _Tokenizer
    session: _Session
    labels: tuple[str, ...]
    edges: tuple[int, int]  # the ids that stand before and after a window
    reads_case: bool


class TokenClassifier:
    """A BERT token classifier with B-, I- and O labels, prepared in ``folder`` by the model store.

    It is loaded at its first use, so that the process starts before the model is there. Not thread-safe: one thread
    at a time, which is also the fastest on a machine of few cores.
    """

    def __init__(self, folder: Path, *, threads: int = 1) -> None:
        self._folder = folder
        self._threads = threads
        self._loaded: _Loaded | None = None

    def tag(self, text: str, threshold: float, tick: Callable[[], None]) -> list[Tag]:
        """Return the tokens that are private with a probability (1 - P(O)) of ``threshold`` or more, in order.

        ``tick`` is called before each window and may raise to stop.

        Raises:
            ModelUnavailable: the model is not prepared, or cannot be loaded.

        """
        model = self._load()
        tokenizer, labels = model.tokenizer, model.labels
        encoding = tokenizer.encode(text, add_special_tokens=False)
        if not encoding.ids:
            return []
        ids = np.array(encoding.ids, dtype=np.int64)
        types = cases(text, encoding.offsets) if model.reads_case else np.zeros_like(ids)
        best = np.zeros((len(encoding.ids), len(labels)), dtype=np.float32)
        best[:, labels.index("O")] = 1
        outside = labels.index("O")
        for start, end in _windows(len(encoding.ids)):
            tick()
            seen = _probabilities(model, ids[start:end], types[start:end])[1:-1]
            surer = seen[:, outside] < best[start:end, outside]
            best[start:end][surer] = seen[surer]
        return list(_tags(best, encoding.offsets, labels, threshold))

    def _load(self) -> _Loaded:
        if self._loaded is None:
            try:
                self._loaded = _load(self._folder, self._threads)
            except Exception as error:  # the SDKs raise what they like; whatever it is, there is no detector
                raise ModelUnavailable(f"detector: {type(error).__name__}", reason=MISSING) from error
        return self._loaded


def _load(folder: Path, threads: int) -> _Loaded:
    from tokenizers import Tokenizer

    onnx: Any = import_module("onnxruntime")  # has no types of its own
    options = onnx.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    session: _Session = onnx.InferenceSession(
        str(folder / "model.onnx"), options, providers=["CPUExecutionProvider"], disabled_optimizers=_SLOWER
    )
    tokenizer = cast("_Tokenizer", Tokenizer.from_file(str(folder / "tokenizer.json")))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    labels = tuple(cast("list[str]", json.loads((folder / "labels.json").read_text("utf-8"))))
    if "O" not in labels:
        raise ValueError("labels without O")
    edges = (tokenizer.token_to_id("[CLS]") or 0, tokenizer.token_to_id("[SEP]") or 0)
    reads_case = READS_CASE in session.get_modelmeta().custom_metadata_map
    return _Loaded(tokenizer, session, labels, edges, reads_case=reads_case)


def _windows(length: int) -> Iterator[tuple[int, int]]:
    start = 0
    while True:
        yield start, min(length, start + _WINDOW)
        if start + _WINDOW >= length:
            return
        start += _WINDOW - _OVERLAP


def _probabilities(model: _Loaded, ids: Cases, types: Cases) -> Floats:
    row, kinds = np.zeros((1, len(ids) + 2), dtype=np.int64), np.zeros((1, len(ids) + 2), dtype=np.int64)
    row[0, 0], row[0, -1] = model.edges
    row[0, 1:-1], kinds[0, 1:-1] = ids, types
    feed = {"input_ids": row, "attention_mask": np.ones_like(row), "token_type_ids": kinds}
    logits = model.session.run(["logits"], feed)[0][0]
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
