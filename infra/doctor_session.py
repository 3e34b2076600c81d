"""Opens a real inference session as the agents would, to see what it gets: what is listed proves nothing."""

import onnxruntime  # type: ignore[import-untyped] # ships no types
from onnx import TensorProto, helper

from hybridmesh.infra.doctor import Session

ASKED = ("CUDAExecutionProvider", "CPUExecutionProvider")  # what the agents use, best first
SILENT, WARNINGS = 4, 2


def probe_session() -> Session:
    """Ask for every provider that is listed and that the agents use; raises what a broken library raises."""
    listed = [name for name in ASKED if name in onnxruntime.get_available_providers()]
    x, y = (helper.make_tensor_value_info(name, TensorProto.FLOAT, [1]) for name in "xy")
    graph = helper.make_graph([helper.make_node("Identity", ["x"], ["y"])], "probe", [x], [y])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10)
    onnxruntime.set_default_logger_severity(SILENT)  # a missing driver is the finding, not an error to print
    try:
        session = onnxruntime.InferenceSession(model.SerializeToString(), providers=listed)
    finally:
        onnxruntime.set_default_logger_severity(WARNINGS)
    return Session(tuple(listed), tuple(session.get_providers()))
