"""all-MiniLM-L6-v2 (int8 ONNX) as the dense embedder, on the processor, in a thread of its own."""

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, cast

import numpy as np
from numpy.typing import NDArray

from hybridmesh.bus.errors import SetupError

if TYPE_CHECKING:
    from tokenizers import Tokenizer

WINDOW_TOKENS = 256
"""What the model was trained to read at once, its two marker tokens included."""


class _Session(Protocol):
    def run(self, output_names: list[str], input_feed: dict[str, NDArray[np.int64]]) -> list[NDArray[np.float32]]: ...


class _Options(Protocol):
    intra_op_num_threads: int
    inter_op_num_threads: int


class MiniLm:
    """384 dimensions, unit length, cosine.

    A longer text is read in windows of 256 tokens, without overlap, and averaged over all its tokens; exact words
    far inside a long text are BM25's business. Windows are run one by one: the int8 graph scales its activations
    over the whole batch, so in a batch a text's vector would depend on its neighbours, and on a processor
    batching gained nothing.
    """

    generation = "minilm_l6_int8_v1"
    size = 384

    def __init__(self, session: _Session, tokenizer: "Tokenizer") -> None:
        self._session = session
        self._tokenizer = tokenizer
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="minilm")

    @classmethod
    def load(cls, folder: Path, *, threads: int = 1) -> "MiniLm":
        """Load ``model.onnx`` and ``tokenizer.json``; blocks for about a second.

        Raises:
            SetupError: the folder does not hold the prepared model.

        """
        model, vocabulary = folder / "model.onnx", folder / "tokenizer.json"
        if not (model.is_file() and vocabulary.is_file()):
            raise SetupError(
                "the embedding model is not prepared", remedy="run: hybridmesh model prepare minilm-l6-int8"
            )
        from tokenizers import Tokenizer

        tokenizer = Tokenizer.from_file(str(vocabulary))
        tokenizer.no_padding()
        tokenizer.enable_truncation(WINDOW_TOKENS)
        return cls(_open_session(model, threads), tokenizer)

    async def embed(self, texts: Sequence[str]) -> list[tuple[float, ...]]:
        """Return one vector a text, in order."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._embed, tuple(texts))

    async def close(self) -> None:
        """Wait for the text in work and end the thread."""
        await asyncio.to_thread(self._thread.shutdown, cancel_futures=True)

    def _embed(self, texts: tuple[str, ...]) -> list[tuple[float, ...]]:
        return [self._vector(text) for text in texts]

    def _vector(self, text: str) -> tuple[float, ...]:
        first = self._tokenizer.encode(text)
        total = np.zeros(self.size, dtype=np.float64)
        for window in (first, *first.overflowing):
            ids = np.asarray([window.ids], dtype=np.int64)
            feed = {"input_ids": ids, "attention_mask": np.ones_like(ids), "token_type_ids": np.zeros_like(ids)}
            states = self._session.run(["last_hidden_state"], feed)[0]
            total += states[0].sum(axis=0, dtype=np.float64)
        unit = total / np.linalg.norm(total)
        return tuple(unit.tolist())


def _open_session(model: Path, threads: int) -> _Session:
    import onnxruntime  # type: ignore[import-untyped]  # the package ships no types

    options = cast("_Options", onnxruntime.SessionOptions())  # pyright: ignore[reportUnknownMemberType]  # untyped
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    return cast("_Session", onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"]))
