"""Where a model can run on this machine, found out by what a real session gets."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final, Literal

Provider = Literal["cpu", "cuda"]
Wish = Literal["auto", "cpu", "cuda"]

# Linux' device files for CUDA, of the driver and of WSL: without one the probe (40 MB of libraries) is spared.
CUDA_DEVICES: Final = ("/dev/nvidiactl", "/dev/dxg")
_CUDA: Final = "CUDAExecutionProvider"
_SILENT, _WARNINGS = 4, 2  # the runtime's levels of what it logs


def cuda_works() -> bool:
    """Tell whether a session really gets CUDA: the runtime lists it also where there is no device."""
    if sys.platform == "linux" and not any(Path(device).exists() for device in CUDA_DEVICES):
        return False
    return _CUDA in probe()[1]


def probe() -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Open a session of one node; return the providers that it asked for, as the runtime lists them, and what it got.

    Raises what a broken native library raises.
    """
    import onnxruntime  # type: ignore[import-untyped] # ships no types
    from onnx import TensorProto, helper

    asked = tuple(name for name in (_CUDA, "CPUExecutionProvider") if name in onnxruntime.get_available_providers())
    x, y = (helper.make_tensor_value_info(name, TensorProto.FLOAT, [1]) for name in "xy")
    graph = helper.make_graph([helper.make_node("Identity", ["x"], ["y"])], "probe", [x], [y])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10)
    onnxruntime.set_default_logger_severity(_SILENT)  # a missing driver is an answer here, not an error to print
    try:
        session = onnxruntime.InferenceSession(model.SerializeToString(), providers=list(asked))
    finally:
        onnxruntime.set_default_logger_severity(_WARNINGS)
    return asked, tuple(session.get_providers())


def choose_providers(wanted: Wish) -> Iterator[Provider]:
    """Give the providers worth trying, best first."""
    if wanted != "cpu" and cuda_works():
        yield "cuda"
    if wanted != "cuda":
        yield "cpu"
