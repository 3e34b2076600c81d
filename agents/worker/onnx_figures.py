"""What a model does right now, in figures: for whoever has to judge whether it will answer in time."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from hybridmesh.schemas.inference import ModelLoad, Purpose

NEWEST: Final = 0.2  # the weight of the newest measurement in a moving estimate
LEAST_S: Final = 0.001  # no step is shorter; a clock of coarse ticks may say that it took no time


@dataclass(frozen=True, slots=True)
class ModelFigures:
    """Seconds and rates are moving averages, 0 before the first measurement.

    ``read_tokens_s`` and ``write_tokens_s`` are tokens a second of work, all requests together; what came out of the
    kept prefixes is not counted. ``kv_bytes`` of ``kv_limit_bytes`` hold tokens.
    """

    waiting: int = 0
    running: int = 0
    answered: int = 0
    first_token_s: float = 0.0
    latency_s: float = 0.0
    read_tokens_s: float = 0.0
    write_tokens_s: float = 0.0
    kv_bytes: int = 0
    kv_limit_bytes: int = 0

    def state(self, *, waiting: int, running: int, kv_bytes: int) -> "ModelFigures":
        """Return them with what is under way."""
        return replace(self, waiting=waiting, running=running, kv_bytes=kv_bytes)

    def read(self, tokens: int, seconds: float) -> "ModelFigures":
        """Return them after a piece of a prompt."""
        return replace(self, read_tokens_s=_moved(self.read_tokens_s, tokens / max(seconds, LEAST_S)))

    def wrote(self, tokens: int, seconds: float) -> "ModelFigures":
        """Return them after a step of decoding."""
        return replace(self, write_tokens_s=_moved(self.write_tokens_s, tokens / max(seconds, LEAST_S)))

    def answer(self, *, first_token_s: float, latency_s: float) -> "ModelFigures":
        """Return them after an answer that came to its end."""
        return replace(
            self,
            answered=self.answered + 1,
            first_token_s=_moved(self.first_token_s, first_token_s),
            latency_s=_moved(self.latency_s, latency_s),
        )


def load_of(name: str, figures: ModelFigures, purposes: Sequence[Purpose]) -> ModelLoad:
    """Return what the mesh is told of a model."""
    return ModelLoad(
        model=name,
        purposes=tuple(purposes),
        waiting=figures.waiting,
        running=figures.running,
        latency_s=round(figures.latency_s, 3),
        read_tokens_s=round(figures.read_tokens_s, 1),
        write_tokens_s=round(figures.write_tokens_s, 1),
        kv_bytes=figures.kv_bytes,
        kv_limit_bytes=figures.kv_limit_bytes,
    )


def _moved(before: float, now: float) -> float:
    return now if before <= 0 else before + NEWEST * (now - before)
