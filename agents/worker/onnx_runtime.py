"""Where a model can run on this machine, found out by what a real session gets."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final, Literal

Provider = Literal["cpu", "cuda"]
Wish = Literal["auto", "cpu", "cuda"]

# Linux' device files for CUDA, of the driver and of WSL: without one the probe (40 MB of libraries) is spared.
CUDA_DEVICES: Final = ("/dev/nvidiactl", "/dev/dxg")


def cuda_works() -> bool:
    """Tell whether a session really gets CUDA: the runtime lists it also where there is no device."""
    if sys.platform == "linux" and not any(Path(device).exists() for device in CUDA_DEVICES):
        return False
    import onnxruntime  # type: ignore[import-untyped] # ships no types
    from onnx import TensorProto, helper

    if "CUDAExecutionProvider" not in onnxruntime.get_available_providers():
        return False
    x, y = (helper.make_tensor_value_info(name, TensorProto.FLOAT, [1]) for name in "xy")
    graph = helper.make_graph([helper.make_node("Identity", ["x"], ["y"])], "probe", [x], [y])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10)
    onnxruntime.set_default_logger_severity(4)  # a missing driver is an answer here, not an error to print
    try:
        session = onnxruntime.InferenceSession(
            model.SerializeToString(), providers=["CUDAExecutionProvider", "CPUExecutionProvider"]
        )
    finally:
        onnxruntime.set_default_logger_severity(2)
    return "CUDAExecutionProvider" in session.get_providers()


def choose_providers(wanted: Wish) -> Iterator[Provider]:
    """Give the providers worth trying, best first."""
    if wanted != "cpu" and cuda_works():
        yield "cuda"
    if wanted != "cuda":
        yield "cpu"
