"""Collects the nodes of an ONNX graph; large initializers go straight to the external data file.

Memory stays far below the model's size: matrices are packed some hundred thousand weights at a time.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, BinaryIO, Final

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper

from hybridmesh.infra.models.gguf_file import Tensor
from hybridmesh.infra.models.gguf_metadata import unusable
from hybridmesh.infra.models.packing import (
    BLOCK,
    Bits,
    Bytes,
    Floats,
    Form,
    Order,
    Packed,
    copy_codes,
    fit_codes,
    pair_nibbles,
)
from hybridmesh.infra.models.shifting import copy_shifted, fit_shifted, shift_columns

DATA_FILE: Final = "model.onnx.data"
MICROSOFT: Final = "com.microsoft"
CHUNK_WEIGHTS: Final = 1 << 18  # at a time: fewer, and threads wait for the interpreter; more, and they leave the cache
SHIFTED_CHUNK: Final = 1 << 19  # fitting the shifts, few as they are, costs much the same for any number of rows
PAGE: Final = 4096  # external data starts on page borders, so that it can be mapped
INLINE_BYTES: Final = 1024

Place = tuple[int, int]  # offset and length in the external data file
Pack = Callable[[Tensor, Bytes], Packed]


@dataclass(frozen=True, slots=True)
class Matrix:
    """Where the codes, scales and zero points of a packed matrix lie in the external data file.

    Of ``columns`` the last ``shift_columns`` meet the sums of the input's blocks (see ``shifting``).
    """

    name: str
    bits: Bits
    block: int
    rows: int
    columns: int
    codes: Place
    scale: Place
    zero: Place
    shift_columns: int = 0


@dataclass(frozen=True, slots=True)
class Rows:
    """A matrix of the source, with the order in which its rows are wanted (None keeps them)."""

    tensor: Tensor
    order: Order | None = None


class GraphWriter:
    """One graph in the making; ``data`` is the open external data file, ``half`` makes floats 16 bit, as GPUs want."""

    def __init__(self, data: BinaryIO, threads: int, *, half: bool = False) -> None:
        self._data = data
        self._threads = threads
        self._float: type[np.float16 | np.float32] = np.float16 if half else np.float32
        self.float_kind = TensorProto.FLOAT16 if half else TensorProto.FLOAT
        self.nodes: list[onnx.NodeProto] = []
        self.initializers: list[onnx.TensorProto] = []
        self._made: set[str] = set()
        self._declared: dict[str, list[str]] = {}
        self._widened: dict[str, str] = {}

    def node(
        self,
        op: str,
        inputs: Sequence[str],
        outputs: Sequence[str],
        domain: str = "",
        **attributes: Any,  # noqa: ANN401 - ONNX attributes are numbers, texts or lists of them
    ) -> str:
        """Add a node, named after its first output, and return that output."""
        name = outputs[0].replace(".", "/")
        self.nodes.append(helper.make_node(op, inputs, outputs, name=name, domain=domain, **attributes))
        return outputs[0]

    def constant(self, name: str, value: npt.NDArray[Any]) -> str:
        """Add an initializer: small ones inside the graph, the others in the external data file."""
        if value.dtype == np.float32:
            value = value.astype(self._float)
        if value.nbytes <= INLINE_BYTES:
            self.initializers.append(numpy_helper.from_array(value, name))
            return name
        kind = helper.np_dtype_to_tensor_dtype(value.dtype)
        return self.external(name, kind, value.shape, self._write([value]))

    def external(self, name: str, kind: int, dims: Sequence[int], place: Place) -> str:
        """Declare an initializer over bytes already written; two may share them under different dims."""
        tensor = onnx.TensorProto(name=name, data_type=kind, dims=dims, data_location=TensorProto.EXTERNAL)
        for key, value in (("location", DATA_FILE), ("offset", str(place[0])), ("length", str(place[1]))):
            tensor.external_data.add(key=key, value=value)
        self.initializers.append(tensor)
        return name

    def store(self, name: str, sources: Sequence[Rows], form: Form) -> Matrix:
        """Pack some matrices, stacked by rows, into the data file."""
        columns = sources[0].tensor.columns
        if any(len(s.tensor.shape) != 2 or s.tensor.columns != columns for s in sources) or columns % form.block:  # noqa: PLR2004
            raise unusable(f"{name} does not consist of matrices with a multiple of {form.block} columns")
        pack = shifted_pack if form.shifted else plain_pack(form)
        chunk = SHIFTED_CHUNK if form.shifted else CHUNK_WEIGHTS
        packed = self._pack(sources, pack, max(1, chunk // columns))
        return self._store(name, packed, form, shift_columns(columns // BLOCK) if form.shifted else 0)

    def matmul(self, x: str, w: Matrix, out: str, bias: Floats | None = None) -> str:
        """Multiply by a packed matrix: (.., columns) -> (.., rows)."""
        if w.shift_columns:
            x = self._append_sums(x, w.columns - w.shift_columns)
        inputs = [x, *self._declare(w)]
        if bias is not None:
            inputs += ["", self.constant(f"{w.name}.bias", bias)]
        # accuracy_level 4 (int8 activations) selects the fast kernels; 8 bits without it are 100 times slower.
        return self.node(
            "MatMulNBits", inputs, [out], MICROSOFT,
            K=w.columns, N=w.rows, bits=w.bits, block_size=w.block, accuracy_level=4,
        )  # fmt: skip

    def gather(self, ids: str, w: Matrix, out: str) -> str:
        """Look rows of an 8-bit matrix up: (..) -> (.., columns); shares the bytes of ``matmul``."""
        blocks = w.columns // w.block
        table = [
            self.external("embed.table", TensorProto.UINT8, (w.rows, w.columns), w.codes),
            ids,
            self.external("embed.table.scale", self.float_kind, (w.rows, blocks), w.scale),
            self.external("embed.table.zero", TensorProto.UINT8, (w.rows, blocks), w.zero),
        ]
        return self.node(
            "GatherBlockQuantized", table, [out], MICROSOFT,
            bits=8, block_size=w.block, gather_axis=0, quantize_axis=1,
        )  # fmt: skip

    def _append_sums(self, x: str, columns: int) -> str:
        """Return ``x`` with the sums of its blocks behind it; matrices that share an input share that.

        Reshape, ReduceSum and Concat run on one thread: waking the others for so little costs more than it saves.
        """
        if x not in self._widened:
            blocks = columns // BLOCK
            self.node("Reshape", [x, self._once("blocks", [0, 0, blocks, BLOCK])], [f"{x}.blocks"])
            sums = self.node("ReduceSum", [f"{x}.blocks", self._once("block_axis", [3])], [f"{x}.sums"], keepdims=0)
            parts = [x, sums]
            if rest := shift_columns(blocks) - blocks:
                parts.append(self._filling(x, rest))
            self._widened[x] = self.node("Concat", parts, [f"{x}.wide"], axis=-1)
        return self._widened[x]

    def _filling(self, x: str, columns: int) -> str:
        """Return zeros (batch, length, columns), made once in a run."""
        name = f"filling.{columns}"
        if name not in self._made:
            self._made.add(name)
            rows = self.node("Shape", [x], [f"{name}.rows"], start=0, end=2)
            shape = self.node("Concat", [rows, self._once("filling.width", [columns])], [f"{name}.shape"], axis=0)
            self.node("Expand", [self._once_zero(), shape], [name])
        return name

    def _once(self, purpose: str, values: Sequence[int]) -> str:
        """Return a small constant, declared once."""
        name = f"{purpose}.{'.'.join(map(str, values))}"
        if name not in self._made:
            self._made.add(name)
            self.constant(name, np.array(values, np.int64))
        return name

    def _once_zero(self) -> str:
        if "filling.zero" not in self._made:
            self._made.add("filling.zero")
            self.constant("filling.zero", np.zeros(1, np.float32))
        return "filling.zero"

    def _declare(self, w: Matrix) -> list[str]:
        """Return the initializers of a matrix, which several nodes may use."""
        if w.name not in self._declared:
            blocks = w.columns // w.block
            self._declared[w.name] = [
                self.external(f"{w.name}.codes", TensorProto.UINT8, (w.rows, blocks, w.block * w.bits // 8), w.codes),
                self.external(f"{w.name}.scale", self.float_kind, (w.rows, blocks), w.scale),
                self.external(f"{w.name}.zero", TensorProto.UINT8, (w.rows, (blocks * w.bits + 7) // 8), w.zero),
            ]
        return self._declared[w.name]

    def _store(self, name: str, chunks: Iterable[Packed], form: Form, shift_columns: int) -> Matrix:
        start = self._next_page()
        scales: list[npt.NDArray[Any]] = []
        zeros: list[npt.NDArray[Any]] = []
        for packed in chunks:
            codes = pair_nibbles(packed.codes) if form.bits == 4 else packed.codes  # noqa: PLR2004
            self._data.write(np.ascontiguousarray(codes).data)
            scales.append(packed.scale.astype(self._float, copy=False))
            zeros.append(pair_nibbles(packed.zero) if form.bits == 4 else packed.zero)  # noqa: PLR2004
        codes_place = (start, self._data.tell() - start)
        rows, blocks = sum(map(len, scales)), scales[0].shape[1]
        return Matrix(
            name, form.bits, form.block, rows, blocks * form.block,
            codes_place, self._write(scales), self._write(zeros), shift_columns,
        )  # fmt: skip

    def _next_page(self) -> int:
        start = -(-self._data.tell() // PAGE) * PAGE
        self._data.seek(start)
        return start

    def _write(self, parts: Sequence[npt.NDArray[Any]]) -> Place:
        start = self._next_page()
        for part in parts:
            self._data.write(np.ascontiguousarray(part).data)
        return start, self._data.tell() - start

    def _pack(self, sources: Sequence[Rows], pack: Pack, step: int) -> Iterator[Packed]:
        """Pack ``step`` rows a time on all threads, in order; a chunk more waits, so that none idles during a write."""

        def pack_chunk(source: Rows, start: int) -> Packed:
            tensor, order = source.tensor, source.order
            raw = tensor.raw[start : start + step] if order is None else tensor.raw[order[start : start + step]]
            with np.errstate(all="ignore"):  # damaged scales, which are refused at once
                packed = pack(tensor, raw)
            if not np.isfinite(packed.scale).all():
                raise unusable("its weights are not finite")
            return packed

        under_way: deque[Future[Packed]] = deque()
        with ThreadPoolExecutor(self._threads) as pool:
            for source in sources:
                for start in range(0, source.tensor.rows, step):
                    under_way.append(pool.submit(pack_chunk, source, start))
                    if len(under_way) > self._threads:
                        yield under_way.popleft().result()
            while under_way:
                yield under_way.popleft().result()


def plain_pack(form: Form) -> Pack:
    """Return what packs rows as they are, or refits them."""

    def pack(tensor: Tensor, raw: Bytes) -> Packed:
        if form.block == BLOCK and (copied := copy_codes(raw, tensor.kind, form.bits)):
            return copied
        return fit_codes(tensor.floats(raw), form.bits, form.block)

    return pack


def shifted_pack(tensor: Tensor, raw: Bytes) -> Packed:
    """Pack rows into 4 bits with shifts."""
    return (copy_shifted(raw, tensor.kind) or fit_shifted(tensor.floats(raw))).widened()
