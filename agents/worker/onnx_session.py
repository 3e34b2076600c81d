"""The part of ONNX Runtime that is used here, typed (it ships no types)."""

from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any, Final, Protocol, cast

import numpy as np
import onnxruntime  # type: ignore[import-untyped] # ships no types
from onnxruntime.capi import onnxruntime_pybind11_state  # type: ignore[import-untyped] # ships no types

from hybridmesh.agents.worker.onnx_runtime import Provider
from hybridmesh.bus.errors import SetupError

PROVIDERS: Final = {"cpu": ["CPUExecutionProvider"], "cuda": ["CUDAExecutionProvider", "CPUExecutionProvider"]}
_NAMES: Final[dict[str, object]] = vars(cast("ModuleType", onnxruntime_pybind11_state))
# The runtime's errors have no common base but Exception.
FAILURES: Final[tuple[type[Exception], ...]] = (
    RuntimeError,
    *(kind for kind in _NAMES.values() if isinstance(kind, type) and issubclass(kind, Exception)),
)


class Binding(Protocol):
    """Where a run reads and writes: memory that is ours."""

    def bind_input(
        self, name: str, device: str, number: int, kind: type[np.generic], shape: Sequence[int], address: int
    ) -> None:
        """Say where an input lies."""
        ...

    def bind_output(
        self, name: str, device: str, number: int, kind: type[np.generic], shape: Sequence[int], address: int
    ) -> None:
        """Say where an output goes."""
        ...


class Value(Protocol):
    """What a graph says of one of its inputs or outputs."""

    name: str
    shape: list[int | str]
    type: str


class Session(Protocol):
    """An ``InferenceSession``."""

    def get_inputs(self) -> list[Value]:
        """Return the inputs that must be given."""
        ...

    def get_overridable_initializers(self) -> list[Value]:
        """Return the inputs that may be given."""
        ...

    def get_outputs(self) -> list[Value]:
        """Return the outputs."""
        ...

    def get_providers(self) -> list[str]:
        """Return what the session really runs on."""
        ...

    def io_binding(self) -> Binding:
        """Return a new binding."""
        ...

    def run_with_iobinding(self, binding: Binding) -> None:
        """Run; other threads go on meanwhile."""
        ...


def open_session(model: Path, provider: Provider, threads: int) -> Session:
    """Load a graph; raises SetupError when the runtime cannot, or does not get the provider."""
    options = cast("Any", onnxruntime.SessionOptions())
    options.intra_op_num_threads = threads
    options.log_severity_level = 4  # what it would print may tell of prompts
    # Threads that wait spin as long as from one node of a graph to the next (a quarter more tokens a second), and no
    # longer: the default, a millisecond, takes the cores from all others, and halves the speed when they are wanted.
    options.add_session_config_entry("session.intra_op.spin_duration_us", "10")
    options.add_session_config_entry("session.force_spinning_stop", "1")
    try:
        opened: Any = onnxruntime.InferenceSession(str(model), options, providers=PROVIDERS[provider])
    except FAILURES as error:
        raise SetupError(f"the runtime refuses the model ({type(error).__name__})", remedy="prepare it again") from None
    session = cast("Session", opened)
    if PROVIDERS[provider][0] not in session.get_providers():
        raise SetupError(f"no session gets {provider}", remedy="choose another provider")
    return session
