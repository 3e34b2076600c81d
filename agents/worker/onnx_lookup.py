"""Drafts by lookup: what followed the last few tokens when they stood in the text before. Pure.

A draft costs nothing to make and little to check; a wrong one only wastes a part of a step, so answers that do not
copy are soon left alone.
"""

from collections.abc import Sequence
from typing import Final

LONGEST: Final = 10  # checking more at once costs a small model more than they save
GRAMS: Final = (3, 2, 1)
FIRST_SIZE: Final = 4
PAUSE: Final = 6  # tokens without a draft after one that was all wrong, doubled each time
LONGEST_PAUSE: Final = 48


class Lookup:
    """The text of one sequence so far, and how well its drafts did."""

    def __init__(self, prompt: Sequence[int]) -> None:
        self._tokens: list[int] = []
        self._after: dict[tuple[int, ...], int] = {}  # where the text went on after its latest such run of tokens
        self._size = FIRST_SIZE
        self._pause = PAUSE
        self._rest = 0
        self.extend(prompt)

    def extend(self, tokens: Sequence[int]) -> None:
        """Add tokens to the text."""
        for token in tokens:
            # What stands at the end is entered only when something follows: a run must not find itself.
            end = len(self._tokens)
            for size in GRAMS:
                if end >= size:
                    self._after[tuple(self._tokens[end - size :])] = end
            self._tokens.append(token)
            self._rest = max(0, self._rest - 1)

    def draft(self, most: int, forced: Sequence[int] = ()) -> list[int]:
        """Return up to ``most`` tokens that may follow: the ``forced`` ones, then what the text says."""
        draft = list(forced[:most])
        wanted = min(self._size, most - len(draft))
        if wanted <= 0 or self._rest:
            return draft
        tail = [*self._tokens[-GRAMS[0] :], *draft]
        for size in GRAMS:
            if size <= len(tail) and (at := self._after.get(tuple(tail[-size:]))) is not None:
                return [*draft, *self._tokens[at : at + wanted]]
        return draft

    def judge(self, drafted: int, accepted: int) -> None:
        """Learn from a check: the next draft is longer after a good one and shorter, or later, after a bad one."""
        if not drafted:
            return
        if accepted == drafted:
            self._size = min(self._size * 2, LONGEST)
            self._pause = PAUSE
        elif accepted:
            self._size = max(2, accepted)
            self._pause = PAUSE
        else:
            self._rest, self._pause = self._pause, min(self._pause * 2, LONGEST_PAUSE)
            self._size = FIRST_SIZE
