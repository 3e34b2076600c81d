"""Drafts by lookup: what followed the last few tokens when they stood in the text before. Pure.

A draft costs nothing to make and little to check: an answer that copies is checked two tokens at a time anyway, so one
guess is free, and more are made the longer the run is that the text has in common and the better the last ones did.
"""

from collections.abc import Sequence
from typing import Final

LONGEST: Final = 10  # checking more at once costs a small model more than they save
GRAMS: Final = (3, 2, 1)
MOST: Final = {3: LONGEST, 2: 5, 1: 2}  # tokens by what the run has in common: one token alone says little
FIRST_SIZE: Final = 4
LEAST_SIZE: Final = 2


class Lookup:
    """The text of one sequence so far, and how well its drafts did."""

    def __init__(self, prompt: Sequence[int]) -> None:
        self._tokens: list[int] = []
        self._after: dict[tuple[int, ...], int] = {}  # where the text went on after its latest such run of tokens
        self._size = FIRST_SIZE
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

    def draft(self, most: int, forced: Sequence[int] = ()) -> list[int]:
        """Return up to ``most`` tokens that may follow: the ``forced`` ones, then what the text says."""
        draft = list(forced[:most])
        wanted = min(self._size, most - len(draft))
        if wanted <= 0:
            return draft
        tail = [*self._tokens[-GRAMS[0] :], *draft]
        for size in GRAMS:
            if size <= len(tail) and (at := self._after.get(tuple(tail[-size:]))) is not None:
                return [*draft, *self._tokens[at : at + min(wanted, MOST[size])]]
        return draft

    def judge(self, drafted: int, accepted: int) -> None:
        """Learn from a check: the next draft is longer after a good one and shorter after a bad one."""
        if not drafted:
            return
        if accepted == drafted:
            self._size = min(self._size * 2, LONGEST)
        else:
            self._size = max(LEAST_SIZE, accepted + 1)
