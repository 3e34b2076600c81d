"""The weights of a model that ``export`` wrote, widened again, so that training can go on from the one that ships."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnx
from onnx import numpy_helper

_PREFIX = "model."  # of what `export` wrapped
_PRODUCT = "/MatMul_output_0_output_quantized"
_PARTS = ("query", "key", "value")  # in the order in which a fused attention has them

Floats = npt.NDArray[np.float32]


def read_released(file: Path) -> dict[str, Floats]:
    """Return the weights by the names that the PyTorch model gives them, linear layers as (out, in)."""
    graph = onnx.load(file).graph
    found = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    weights: dict[str, Floats] = {}
    for name, value in found.items():
        if name.startswith(_PREFIX) and value.dtype == np.float32 and not name.endswith("_scale"):
            weights[name.removeprefix(_PREFIX)] = value
        elif name.startswith(_PREFIX) and name.endswith("_quantized"):
            plain = name.removesuffix("_quantized")
            weights[plain.removeprefix(_PREFIX)] = _widened(found, plain)
    fused = 0
    for node in graph.node:
        if node.op_type == "QAttention":
            weights.update(_attention(found, node.input[1], node.input[2], fused))
            fused += 1
        elif node.op_type == "MatMulInteger":
            layer = node.output[0].removeprefix("/model/").removesuffix(_PRODUCT).replace("/", ".")
            weights[f"{layer}.weight"] = _widened(found, node.input[1].removesuffix("_quantized")).T.copy()
    return weights


def _attention(
    found: dict[str, npt.NDArray[np.generic]], weight: str, bias: str, layer: int
) -> Iterator[tuple[str, Floats]]:
    place = f"bert.encoder.layer.{layer}.attention.self"
    matrices = np.split(_widened(found, weight.removesuffix("_quantized")), len(_PARTS), axis=1)
    biases = np.split(found[bias].astype(np.float32), len(_PARTS))
    for part, matrix, offset in zip(_PARTS, matrices, biases, strict=True):
        yield f"{place}.{part}.weight", matrix.T.copy()
        yield f"{place}.{part}.bias", offset


def _widened(found: dict[str, npt.NDArray[np.generic]], name: str) -> Floats:
    codes, zero = found[f"{name}_quantized"].astype(np.float32), found[f"{name}_zero_point"].astype(np.float32)
    return ((codes - zero) * found[f"{name}_scale"].astype(np.float32)).astype(np.float32)
