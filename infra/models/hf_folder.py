"""A Hugging Face folder as its makers publish it: configuration, tokenizer, and weights as lazily mapped arrays."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self, cast

import numpy as np
import numpy.typing as npt
from gguf import GGMLQuantizationType

from hybridmesh.bus.errors import SetupError
from hybridmesh.infra.models.entry import Kind

HEADER_BYTES: Final = 8
LARGEST: Final = 1e30
LONGEST_HEADER: Final = 100_000_000  # as the format's own reader
LONGEST_TEXT: Final = 200_000_000  # several times the largest tokenizer
KINDS: Final[dict[str, tuple[GGMLQuantizationType, int]]] = {
    "F32": (GGMLQuantizationType.F32, 4),
    "F16": (GGMLQuantizationType.F16, 2),
    "BF16": (GGMLQuantizationType.BF16, 2),
}
ENDINGS: Final[dict[str, Kind]] = {"ForCausalLM": "causal", "ForTokenClassification": "token-classifier"}


def unfit(why: str) -> SetupError:
    """Return the error for a folder that cannot be made into a model."""
    return SetupError(
        f"the folder cannot be used: {why}",
        remedy="give a folder as downloaded from the model hub, with config.json, tokenizer.json and *.safetensors",
    )


@dataclass(frozen=True, slots=True)
class Weights:
    """One tensor as stored: ``raw`` is uint8 (rows, bytes a row), or flat for a vector."""

    kind: GGMLQuantizationType
    shape: tuple[int, ...]
    raw: npt.NDArray[np.uint8]


class HfFolder:
    """A folder with its JSON files read; raises SetupError when what every model has is missing."""

    def __init__(self, folder: Path, config: dict[str, Any]) -> None:
        self.folder = folder
        self.config = config

    @classmethod
    def open(cls, folder: Path) -> Self:
        """Read ``config.json``; devices and pipes, from which reading never ends, are refused wherever they are."""
        config = read_json(folder / "config.json")
        for path in folder.iterdir():
            if path.exists() and not (path.is_file() or path.is_dir()):
                raise unfit(f"{path.name} is no plain file")
        return cls(folder, config)

    @property
    def family(self) -> str:
        """Return the name of the architecture, such as ``llama`` or ``bert``."""
        return str(self.config.get("model_type", ""))

    @property
    def kind(self) -> Kind:
        """Return what the model is for; what neither generates nor classifies tokens gives vectors."""
        names: object = self.config.get("architectures") or [""]
        first: object = cast("list[object]", names)[0] if isinstance(names, list) else None
        if not isinstance(first, str):
            raise unfit("architectures in config.json is no list of names")
        for ending, kind in ENDINGS.items():
            if first.endswith(ending):
                return kind
        return "embedder"

    def size(self, name: str, default: int | None = None, *, high: int = 1 << 24) -> int:
        """Return a whole number of ``config.json``, from 1 to ``high``; null counts as missing."""
        value: object = self.config.get(name)
        value = default if value is None else value
        if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= high:
            raise unfit(f"{name} in config.json is no whole number between 1 and {high}")
        return value

    def optional(self, filename: str) -> dict[str, Any]:
        """Return another JSON file, empty where there is none."""
        path = self.folder / filename
        return read_json(path) if path.is_file() else {}

    def weights(self) -> dict[str, Weights]:
        """Map every tensor of every ``*.safetensors`` file."""
        files = sorted(self.folder.glob("*.safetensors"))
        if not files:
            raise unfit("it has no weights as *.safetensors")
        found: dict[str, Weights] = {}
        for file in files:
            found |= _map_file(file)
        return found


def positive(values: Mapping[str, Any], name: str, default: float | None = None) -> float:
    """Return a number above zero out of a JSON object; null counts as missing."""
    value: object = values.get(name)
    value = default if value is None else value
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < LARGEST:
        raise unfit(f"{name} in config.json is no number above zero")
    return float(value)


def read_json(path: Path) -> dict[str, Any]:
    """Return a JSON object; raises SetupError naming the file."""
    try:
        value: object = json.loads(read_text(path))
    except (OSError, ValueError, RecursionError):
        raise unfit(f"{path.name} is missing or is no JSON") from None
    if not isinstance(value, dict):
        raise unfit(f"{path.name} is no JSON object")
    return cast("dict[str, Any]", value)


def read_text(path: Path) -> str:
    """Return what a plain file of a sensible size says."""
    if not path.is_file() or path.stat().st_size > LONGEST_TEXT:
        raise unfit(f"{path.name} is missing, no plain file or too large")
    return path.read_text("utf-8")


def _map_file(path: Path) -> dict[str, Weights]:
    try:
        whole: npt.NDArray[np.uint8] = np.memmap(path, np.uint8, "r")
        length = int.from_bytes(whole[:HEADER_BYTES].tobytes(), "little")
        if not 0 < length <= min(LONGEST_HEADER, whole.size - HEADER_BYTES):
            raise unfit(f"{path.name} is damaged")
        header: dict[str, Any] = json.loads(whole[HEADER_BYTES : HEADER_BYTES + length].tobytes())
        header.pop("__metadata__", None)
        data = whole[HEADER_BYTES + length :]
        return {name: _map_tensor(name, described, data) for name, described in header.items()}
    except (OSError, ValueError, KeyError, IndexError, TypeError, AttributeError, RecursionError):
        raise unfit(f"{path.name} is damaged") from None


def _map_tensor(name: str, described: dict[str, Any], data: npt.NDArray[np.uint8]) -> Weights:
    if described["dtype"] not in KINDS:
        raise unfit(f"{name} is neither float32, float16 nor bfloat16")
    kind, width = KINDS[described["dtype"]]
    start, end = described["data_offsets"]
    shape = tuple(int(size) for size in described["shape"])
    if not 0 <= start <= end <= data.size or end - start != int(np.prod(shape)) * width:
        raise unfit(f"the sizes of {name} do not fit the file")
    return Weights(kind, shape, data[start:end].reshape(*shape[:-1], shape[-1] * width))
