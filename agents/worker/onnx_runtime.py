"""The part of onnxruntime-genai that is used here, typed (it ships no types), and where it can run."""

import importlib
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final, Literal, Protocol, cast

import numpy as np
import numpy.typing as npt

Provider = Literal["cpu", "cuda"]
Wish = Literal["auto", "cpu", "cuda"]
Ids = npt.NDArray[np.int32]

# Linux' device files for CUDA, of the driver and of WSL: without one the probe (40 MB of libraries) is spared.
CUDA_DEVICES: Final = ("/dev/nvidiactl", "/dev/dxg")


class GenaiTokenizer(Protocol):
    """The model's own tokenizer."""

    @property
    def eos_token_ids(self) -> Sequence[int]:
        """Every token that ends a turn."""
        ...

    def encode(self, text: str, /) -> Ids:
        """Return the tokens of a text; texts of control tokens become control tokens."""
        ...

    def decode(self, tokens: Ids, /) -> str:
        """Return the text of tokens, without control tokens."""
        ...

    def apply_chat_template(self, messages: str, *, add_generation_prompt: bool) -> str:
        """Return the prompt of a JSON list of messages."""
        ...


class GenaiParams(Protocol):
    """What a generator is made with; nothing of it can be changed later."""

    def set_search_options(self, *, max_length: int, do_sample: bool) -> None:
        """Set the size of the buffer in tokens, and greedy or sampled decoding."""
        ...

    def set_guidance(self, kind: str, pattern: str, /) -> None:
        """Hold the output to ``regex``, ``json_schema`` or ``lark_grammar``."""
        ...


class GenaiGenerator(Protocol):
    """A key-value cache with a position."""

    def append_tokens(self, tokens: Ids, /) -> None:
        """Read tokens of the prompt."""
        ...

    def generate_next_token(self) -> None:
        """Decode one token."""
        ...

    def get_next_tokens(self) -> Sequence[int]:
        """Return the token just decoded, for each of the batch."""
        ...

    def rewind_to(self, length: int, /) -> None:
        """Forget all tokens after the first ``length``, and what the guide had seen."""
        ...


class Genai(Protocol):
    """The module's classes that are used here."""

    Config: Callable[[str], Any]
    Model: Callable[[Any], object]
    Tokenizer: Callable[[object], GenaiTokenizer]
    GeneratorParams: Callable[[object], GenaiParams]
    Generator: Callable[[object, GenaiParams], GenaiGenerator]


def import_genai() -> Genai:
    """Import onnxruntime-genai, which takes a moment and some memory."""
    return cast("Genai", importlib.import_module("onnxruntime_genai"))


def read_control_tokens(folder: Path) -> list[str]:
    """Return the texts that the tokenizer turns into control tokens, longest first."""
    tokenizer: dict[str, list[dict[str, str]]] = json.loads((folder / "tokenizer.json").read_text("utf-8"))
    return sorted((token["content"] for token in tokenizer["added_tokens"]), key=len, reverse=True)


def cuda_works() -> bool:
    """Tell whether a session really gets CUDA: the runtimes list it also where there is no device."""
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


def load_model(genai: Genai, folder: Path, provider: Provider, threads: int) -> object:
    """Load a folder for one provider; raises RuntimeError when the runtime cannot."""
    config = genai.Config(str(folder))
    # Threads that spin while they wait halve the speed as soon as other agents want the same cores.
    options = {"intra_op_num_threads": threads, "session.intra_op.allow_spinning": "0"}
    config.overlay(json.dumps({"model": {"decoder": {"session_options": options}}}))
    if provider == "cuda":
        config.clear_providers()
        config.append_provider("cuda")
    return genai.Model(config)
