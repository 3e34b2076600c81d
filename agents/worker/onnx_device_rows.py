"""The key-value buffer in a device's own memory: copies are made there, by a graph that does nothing else."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, Protocol, cast

import numpy as np
import onnxruntime  # type: ignore[import-untyped] # ships no types
from onnx import TensorProto, helper

from hybridmesh.agents.worker.onnx_rows import RowShape, Saved
from hybridmesh.agents.worker.onnx_runtime import Provider
from hybridmesh.agents.worker.onnx_session import PROVIDERS, Session

KINDS: Final = {np.dtype(np.float32): TensorProto.FLOAT, np.dtype(np.float16): TensorProto.FLOAT16}


class DeviceMemory(Protocol):
    """An ``OrtValue``."""

    def data_ptr(self) -> int:
        """Return where it starts."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class DeviceCopy:
    """The first ``length`` tokens of a row, kept on the device."""

    memory: DeviceMemory
    length: int
    nbytes: int


class DeviceRows:
    """As ``HostRows``, in memory that only the provider's own runs may touch; all of it is taken at once."""

    def __init__(self, shape: RowShape, rows: int, room: int, device: Provider) -> None:
        self.shape, self.rows, self.room = shape, rows, room
        self.device = str(device)
        self._memory = allocate((shape.parts, rows, shape.heads, room, shape.size), shape.kind, device)
        self._copier = make_copier(shape, device)

    def address(self, part: int, row: int) -> int:
        """Return where a row of a part starts."""
        return self._head(part, row, 0)

    def move(self, source: int, target: int, length: int) -> None:
        """Copy the first ``length`` tokens of a row over another one."""
        self._copy(
            ((self._head(part, source, head), self._head(part, target, head)) for part, head in self._places()), length
        )

    def save(self, row: int, length: int) -> DeviceCopy:
        """Return a copy of the first ``length`` tokens of a row."""
        shape = self.shape
        memory = allocate((shape.parts, shape.heads, length, shape.size), shape.kind, self.device)
        copy = DeviceCopy(memory, length, length * shape.token_bytes)
        self._copy(
            ((self._head(part, row, head), self._saved(copy, part, head)) for part, head in self._places()), length
        )
        return copy

    def restore(self, saved: Saved, length: int, row: int) -> None:
        """Put the first ``length`` tokens of a copy into a row."""
        copy = cast("DeviceCopy", saved)
        self._copy(
            ((self._saved(copy, part, head), self._head(part, row, head)) for part, head in self._places()), length
        )

    def clear(self, row: int) -> None:
        """Do nothing: what was taken at once stays taken."""

    def _places(self) -> Iterator[tuple[int, int]]:
        return ((part, head) for part in range(self.shape.parts) for head in range(self.shape.heads))

    def _head(self, part: int, row: int, head: int) -> int:
        number = (part * self.rows + row) * self.shape.heads + head
        return self._memory.data_ptr() + number * self.room * self.shape.size * self.shape.kind.itemsize

    def _saved(self, copy: DeviceCopy, part: int, head: int) -> int:
        number = part * self.shape.heads + head
        return copy.memory.data_ptr() + number * copy.length * self.shape.size * self.shape.kind.itemsize

    def _copy(self, places: Iterator[tuple[int, int]], length: int) -> None:
        binding, kind, count = self._copier.io_binding(), self.shape.kind.type, (length * self.shape.size,)
        for number, (source, target) in enumerate(places):
            binding.bind_input(f"from.{number}", self.device, 0, kind, count, source)
            binding.bind_output(f"to.{number}", self.device, 0, kind, count, target)
        self._copier.run_with_iobinding(binding)


def allocate(shape: tuple[int, ...], kind: "np.dtype[Any]", device: str) -> DeviceMemory:
    """Return memory on the device."""
    value: object = onnxruntime.OrtValue.ortvalue_from_shape_and_type(list(shape), kind.type, device, 0)
    return cast("DeviceMemory", value)


def make_copier(shape: RowShape, device: Provider) -> Session:
    """Return a session that copies as many runs of numbers as a row has."""
    kind = KINDS[shape.kind]
    numbers = range(shape.parts * shape.heads)
    sources = [helper.make_tensor_value_info(f"from.{number}", kind, ["count"]) for number in numbers]
    targets = [helper.make_tensor_value_info(f"to.{number}", kind, ["count"]) for number in numbers]
    nodes = [helper.make_node("Identity", [f"from.{number}"], [f"to.{number}"]) for number in numbers]
    graph = helper.make_graph(nodes, "copy", sources, targets)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10)
    session: object = onnxruntime.InferenceSession(model.SerializeToString(), providers=PROVIDERS[device])
    return cast("Session", session)
