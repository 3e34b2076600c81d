"""What was read before and may come again: the keys and values of system prompts and of the latest prompts.

Several engines share one memory; each finds its own only, since a token is another word to another model.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from hybridmesh.agents.worker.onnx_rows import Saved

Ids = npt.NDArray[np.int64]

MIN_SHARED: Final = 16  # reading fewer tokens again costs no more than finding and copying them


@dataclass(frozen=True, slots=True, eq=False)
class Kept:
    """The values of ``tokens`` from the start of a prompt on."""

    tokens: Ids
    values: Saved
    family: bool
    owner: object = None


class Prefixes:
    """A bounded memory, least recently used out first; system prompts outlive whole prompts in half of it."""

    def __init__(self, limit_bytes: int) -> None:
        self.limit = limit_bytes
        self._kept: list[Kept] = []  # the latest last

    @property
    def used_bytes(self) -> int:
        """Bytes of all that is kept."""
        return sum(kept.values.nbytes for kept in self._kept)

    def bytes_of(self, owner: object) -> int:
        """Return the bytes of what one engine keeps."""
        return sum(kept.values.nbytes for kept in self._of(owner))

    def find(self, tokens: Ids, owner: object = None) -> tuple[Kept, int] | None:
        """Return what shares the longest start with a prompt, and how much of it can be used.

        The last two tokens of a prompt are never taken from here: reading them gives the first new one, and reading
        one alone would give it with other roundings than reading several.
        """
        best, shared = None, MIN_SHARED - 1
        for kept in self._of(owner):
            common = shared_length(kept.tokens, tokens[:-2])
            if kept.family and common == len(kept.tokens):
                self._touch(kept)
            if common > shared:
                best, shared = kept, common
        if best is None:
            return None
        self._touch(best)
        return best, shared

    def wants(self, tokens: Ids, cost_bytes: int, owner: object = None) -> bool:
        """Say whether keeping these tokens would be of use and fit."""
        if len(tokens) < MIN_SHARED or cost_bytes > self.limit // 2:
            return False
        return all(shared_length(kept.tokens, tokens) < len(tokens) for kept in self._of(owner))

    def keep(self, kept: Kept) -> None:
        """Remember, and forget what is then too much; a whole prompt takes the place of one that it continues."""
        if not kept.family:
            self._kept = [
                old
                for old in self._kept
                if old.family or old.owner is not kept.owner or shared_length(old.tokens, kept.tokens) < len(old.tokens)
            ]  # fmt: skip
        self._kept.append(kept)
        while self._bytes(family=True) > self.limit // 2:
            self._drop_oldest(family=True)
        while self.used_bytes > self.limit:
            self._drop_oldest(family=False)

    def forget(self, owner: object) -> None:
        """Forget what one engine keeps."""
        self._kept = [kept for kept in self._kept if kept.owner is not owner]

    def _of(self, owner: object) -> list[Kept]:
        return [kept for kept in self._kept if kept.owner is owner]

    def _bytes(self, *, family: bool) -> int:
        return sum(kept.values.nbytes for kept in self._kept if kept.family == family)

    def _drop_oldest(self, *, family: bool) -> None:
        self._kept.remove(next(kept for kept in self._kept if kept.family == family))

    def _touch(self, kept: Kept) -> None:
        self._kept.remove(kept)
        self._kept.append(kept)


def shared_length(a: Ids, b: Ids) -> int:
    """Return how many tokens two prompts share from the start."""
    length = min(len(a), len(b))
    differing = np.flatnonzero(a[:length] != b[:length])
    return int(differing[0]) if differing.size else length
