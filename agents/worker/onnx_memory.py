"""The memory that local models share: one bound over weights, the tokens of requests under way, and kept prefixes."""

import json
import threading
from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self, cast

from hybridmesh.agents.worker.onnx_prefixes import Prefixes
from hybridmesh.bus.errors import SetupError

SPARE_BYTES: Final = 128_000_000  # to be left to everybody else on this machine
# What a loaded model takes beside the mapped file: its weights packed anew, its tokenizer, its guides and the memory
# of a step. Measured (Linux, two threads): 446 MB for a file of 158 MB, 938 MB for one of 580 MB.
PACKED: Final = 1.5
LOADED_BYTES: Final = 200_000_000
_KV_BYTES: Final = 4  # a number of a key or value, on a CPU
_MB: Final = 1_000_000


class ModelMemory:
    """What models may take: ``limit_bytes``, and no more than ``free_bytes`` says is left on this machine.

    What is set aside takes no memory before it is written to, and shows in ``free_bytes`` only then: until then it is
    promised. ``prefixes`` are set aside from the start. Any thread may ask; a model is known by its name.
    """

    def __init__(
        self,
        limit_bytes: int | None = None,
        *,
        prefix_bytes: int = 96 * _MB,
        free_bytes: Callable[[], int] | None = None,
    ) -> None:
        self.prefixes = Prefixes(prefix_bytes)
        self._limit = limit_bytes
        self._free_bytes = free_bytes
        self._taken: Counter[str] = Counter()
        self._promised: Counter[str] = Counter()
        self._lock = threading.Lock()

    @property
    def taken(self) -> int:
        """Bytes that are set aside."""
        return self.prefixes.limit + self._taken.total()

    @property
    def left(self) -> int | None:
        """Bytes of this machine that nobody has and that are promised to nobody; None where it is no bound."""
        if self._free_bytes is None:
            return None
        return self._free_bytes() - self._promised.total() - (self.prefixes.limit - self.prefixes.used_bytes)

    def fits(self, size: int, *, without: Collection[str] = ()) -> bool:
        """Say whether so many bytes more can be had, once the models ``without`` have gone."""
        back = sum(self._taken[name] for name in without)
        if self._limit is not None and self.taken - back + size > self._limit:
            return False
        left = self.left
        return left is None or size + SPARE_BYTES <= left + back

    def take(self, name: str, size: int) -> bool:
        """Set bytes aside for a model; False, and nothing is, where they are not there."""
        with self._lock:
            fits = self.fits(size)
            if fits:
                self._taken[name] += size
                self._promised[name] += size
            return fits

    def promise(self, name: str, size: int) -> None:
        """Note how many bytes of what is set aside for a model are not yet written."""
        with self._lock:
            self._promised[name] = size

    def give(self, name: str, size: int) -> None:
        """Give back what was taken for a model."""
        with self._lock:
            self._taken[name] -= size

    def release(self, name: str) -> None:
        """Give back all that a model has."""
        with self._lock:
            del self._taken[name], self._promised[name]

    def refusal(self, names: Collection[str], size: int) -> SetupError:
        """Return why models that need so many bytes are not loaded."""
        needed = f"{' and '.join(names)} would take {size / _MB:.0f} MB with the longest request"
        if self._limit is not None and self.taken + size > self._limit:
            left = f"{(self._limit - self.taken) / _MB:.0f} MB of models.memory_mb = {self._limit / _MB:.0f} are left"
            return SetupError(f"{needed}: {left}", remedy="raise models.memory_mb, or name a smaller model")
        left = f"{(self.left or 0) / _MB:.0f} MB are free, {SPARE_BYTES / _MB:.0f} of them for other programs"
        return SetupError(f"{needed}: {left}", remedy="end other programs, or name a smaller model")


@dataclass(frozen=True, slots=True)
class Need:
    """Bytes that a prepared model needs: loaded, and for the longest request."""

    loaded: int
    request: int

    @classmethod
    def of(cls, folder: Path, room: int) -> Self:
        """Return what a folder's model needs for requests of ``room`` tokens; raises SetupError if it is none."""
        try:
            weights = sum(file.stat().st_size for file in folder.glob("model.onnx*"))
            config = cast("dict[str, Any]", json.loads((folder / "genai_config.json").read_text("utf-8")))["model"]
            decoder, room = cast("dict[str, int]", config["decoder"]), min(room, int(config["context_length"]))
            token = 2 * decoder["num_hidden_layers"] * decoder["num_key_value_heads"] * decoder["head_size"] * _KV_BYTES
        except (OSError, KeyError, ValueError, TypeError) as error:
            raise SetupError("no model for the worker is in its folder", remedy="prepare the model again") from error
        return cls(int(weights * PACKED) + LOADED_BYTES, room * token)
