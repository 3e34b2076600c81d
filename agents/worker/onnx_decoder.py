"""One step of a decoder graph over some rows of the key-value buffer, which it fills in place."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self, cast

import numpy as np
import numpy.typing as npt

from hybridmesh.agents.worker.onnx_host_rows import HostRows
from hybridmesh.agents.worker.onnx_rows import Rows, RowShape
from hybridmesh.agents.worker.onnx_runtime import Provider
from hybridmesh.agents.worker.onnx_session import FAILURES, Binding, Session, open_session
from hybridmesh.bus.errors import ModelUnavailable, SetupError

Ids = npt.NDArray[np.int64]
Logits = npt.NDArray[np.float32]

KEEP: Final = "logits_to_keep"
KINDS: Final[dict[str, np.dtype[Any]]] = {
    "tensor(float)": np.dtype(np.float32),
    "tensor(float16)": np.dtype(np.float16),
}


class Decoder:
    """One loaded graph and its rows. Not thread-safe: a step's logits stand in the same memory as the last one's."""

    def __init__(self, session: Session, rows: Rows) -> None:
        self._session = session
        self.rows = rows
        logits = session.get_outputs()[0]
        self.vocabulary = int(logits.shape[-1])
        self._kind: np.dtype[Any] = KINDS[logits.type]
        self._logits: npt.NDArray[Any] = np.empty((0, self.vocabulary), self._kind)
        self._bindings: dict[tuple[int, int], Binding] = {}

    @classmethod
    def load(cls, folder: Path, provider: Provider, *, threads: int, rows: int, room: int) -> Self:
        """Load a prepared folder.

        Raises:
            SetupError: the session does not get the provider, or the graph is not one of this version's.

        """
        session = open_session(folder / "model.onnx", provider, threads)
        if KEEP not in {value.name for value in session.get_overridable_initializers()}:
            raise SetupError("the model was prepared by another version", remedy="prepare the model again")
        shape = row_shape(session)
        if provider == "cpu":
            return cls(session, HostRows(shape, rows, room))
        if shape.kind != np.float16:  # its attention has no 32-bit form, and would run on the CPU
            raise SetupError("the model was prepared for the CPU", remedy="prepare it in 16 bit for a GPU")
        from hybridmesh.agents.worker.onnx_device_rows import DeviceRows

        return cls(session, DeviceRows(shape, rows, room, provider))

    def step(self, row: int, tokens: Ids, lengths: Sequence[int], keep: int = 1) -> Logits:
        """Read ``tokens`` (sequences x tokens) into the rows from ``row`` on; several tokens only for one sequence.

        ``lengths`` are those after the step. Returns the logits after each of the last ``keep`` tokens (sequences x
        keep x vocabulary), valid until the next step.

        Raises:
            ModelUnavailable: the runtime failed.

        """
        count = len(tokens)
        ends = np.asarray(lengths)
        mask: Ids = (np.arange(max(lengths)) < ends[:, None]).astype(np.int64)
        kept: Ids = np.array(keep, np.int64)
        if len(self._logits) < count * keep:
            self._logits = np.empty((count * keep, self.vocabulary), self._kind)
        binding = self._binding(row, count)
        for name, value in (("input_ids", tokens), ("attention_mask", mask), (KEEP, kept)):
            binding.bind_input(name, "cpu", 0, np.int64, value.shape, value.ctypes.data)
        shape = (count, keep, self.vocabulary)
        binding.bind_output("logits", "cpu", 0, self._kind.type, shape, self._logits.ctypes.data)
        try:
            self._session.run_with_iobinding(binding)
        except FAILURES as error:  # its text may tell of the prompt, so it goes no further
            raise ModelUnavailable("the model failed", reason=f"model-failed:{type(error).__name__}") from None
        logits: Logits = self._logits[: count * keep].reshape(shape).astype(np.float32, copy=False)
        return logits

    def _binding(self, row: int, count: int) -> Binding:
        """Return the binding of some rows: past and present are the same memory, so a step adds to it in place."""
        if (row, count) not in self._bindings:
            binding, rows = self._session.io_binding(), self.rows
            shape = (count, rows.shape.heads, rows.room, rows.shape.size)
            for part in range(rows.shape.parts):
                name = f"{part // 2}.{('key', 'value')[part % 2]}"
                place = (rows.device, 0, rows.shape.kind.type, shape, rows.address(part, row))
                binding.bind_input(f"past_key_values.{name}", *place)
                binding.bind_output(f"present.{name}", *place)
            self._bindings[row, count] = binding
        return self._bindings[row, count]


def row_shape(session: Session) -> RowShape:
    """Return what the graph keeps of a token."""
    pasts = [value for value in session.get_inputs() if value.name.startswith("past_key_values.")]
    _, heads, _, size = pasts[0].shape
    return RowShape(len(pasts), int(heads), int(size), KINDS[pasts[0].type])


@dataclass(frozen=True, slots=True)
class Limits:
    """The tokens that end an answer, how many a prompt and its answer may have together, and how many there are."""

    ends: tuple[int, ...]
    context: int
    vocabulary: int

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Read them from a prepared folder; raises OSError, KeyError or ValueError."""
        config = cast("dict[str, Any]", json.loads((folder / "genai_config.json").read_text("utf-8")))["model"]
        ends = cast("int | list[int]", config["eos_token_id"])
        many = tuple(ends if isinstance(ends, list) else [ends])
        return cls(many, int(config["context_length"]), int(config["vocab_size"]))
