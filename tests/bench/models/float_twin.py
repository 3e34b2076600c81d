"""The same decoder with float32 weights, by the same writer: what packed models are compared with; and their logits."""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import onnx
import onnxruntime  # type: ignore[import-untyped] # ships no types

from hybridmesh.infra.models.architecture import Architecture
from hybridmesh.infra.models.decoder import write_decoder
from hybridmesh.infra.models.gguf_file import GgufFile
from hybridmesh.infra.models.graph_writer import GraphWriter, Matrix, Rows
from hybridmesh.infra.models.packing import Floats, Form

Logits = npt.NDArray[np.float32]
ROWS = 4096
FLOAT = onnx.TensorProto.FLOAT
MICROSOFT = "com.microsoft"


class FloatWriter(GraphWriter):
    """Writes every matrix as it is when dequantised."""

    def store(self, name: str, sources: Sequence[Rows], form: Form) -> Matrix:
        start, rows = self._next_page(), 0
        for tensor, order in ((source.tensor, source.order) for source in sources):
            for first in range(0, tensor.rows, ROWS):
                chosen = slice(first, first + ROWS) if order is None else order[first : first + ROWS]
                self._data.write(np.ascontiguousarray(tensor.floats(tensor.raw[chosen])).data)
            rows += tensor.rows
        place = (start, self._data.tell() - start)
        columns = sources[0].tensor.columns
        self.external(f"{name}.floats", FLOAT, (rows, columns), place)
        return Matrix(name, form.bits, form.block, rows, columns, place, place, place)

    def matmul(self, x: str, w: Matrix, out: str, bias: Floats | None = None) -> str:
        if bias is None:
            return self.node("FusedMatMul", [x, f"{w.name}.floats"], [out], MICROSOFT, transB=1)
        plain = self.node("FusedMatMul", [x, f"{w.name}.floats"], [f"{out}.plain"], MICROSOFT, transB=1)
        return self.node("Add", [plain, self.constant(f"{w.name}.bias", bias)], [out])

    def gather(self, ids: str, w: Matrix, out: str) -> str:
        return self.node("Gather", [f"{w.name}.floats", ids], [out])


def write_twin(source: Path, folder: Path) -> Architecture:
    """Write the float32 model into ``folder``, which it fills with four bytes a weight."""
    with GgufFile(source) as gguf:
        facts = Architecture.read(gguf)
        write_decoder(gguf, facts, folder, "exact", 1, lambda _done, _all: None, graph_class=FloatWriter)
    return facts


def open_for_all_positions(folder: Path) -> Path:
    """Write a second graph over the same weights that gives the logits of every position, not of the last."""
    model = onnx.load(folder / "model.onnx", load_external_data=False)
    nodes = {node.output[0]: node for node in model.graph.node}
    nodes["logits"].input[0] = nodes[nodes["logits"].input[0]].input[0]
    model.graph.output[0].type.tensor_type.shape.dim[1].dim_param = "positions"
    path = folder / "every_position.onnx"
    onnx.save(model, path)
    return path


class Running:
    """A decoder in ONNX Runtime on two threads."""

    def __init__(self, graph: Path, facts: Architecture) -> None:
        options = cast("Any", onnxruntime.SessionOptions())
        options.intra_op_num_threads = 2
        options.log_severity_level = 3  # it warns of initializers that a caller could override
        self._session = onnxruntime.InferenceSession(str(graph), options, ["CPUExecutionProvider"])
        shape = (1, facts.kv_heads, 0, facts.head_size)
        names = [f"past_key_values.{layer}.{part}" for layer in range(facts.layers) for part in ("key", "value")]
        self._empty = {name: np.zeros(shape, np.float32) for name in names}

    def logits(self, ids: list[int]) -> Logits:
        """Return the logits (positions, vocabulary) of a text."""
        return self._step(ids, len(ids), self._empty)[0]

    def token_ms(self, ids: list[int], count: int) -> float:
        """Return the median time of a token, while ``count`` of them are decoded greedily after a text."""
        times: list[float] = []
        logits, past = self._step(ids, len(ids), self._empty)
        for seen in range(len(ids), len(ids) + count):
            began = time.perf_counter()
            logits, past = self._step([int(logits[-1].argmax())], seen + 1, past)
            times.append(time.perf_counter() - began)
        return sorted(times)[len(times) // 2] * 1e3

    def _step(self, ids: list[int], seen: int, past: dict[str, Logits]) -> tuple[Logits, dict[str, Logits]]:
        feed: dict[str, Any] = {"input_ids": np.array([ids], np.int64), "attention_mask": np.ones((1, seen), np.int64)}
        logits, *present = cast("list[Logits]", self._session.run(None, feed | past))
        return logits[0], dict(zip(past, present, strict=True))
