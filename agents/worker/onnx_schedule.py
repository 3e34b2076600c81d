"""Who is served next, and in which row: one prompt is read at a time while all others write. Pure.

Answers that are written as one batch lie in the first rows without a gap; whoever leaves is replaced by the last of
them. Those that are written alone lie at the other end. The prompt that is being read lies where its answer will.
"""

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

J = TypeVar("J")


@dataclass(frozen=True, slots=True)
class Move(Generic[J]):
    """A row to be copied over another one, and whose it is."""

    job: J
    source: int
    target: int


class Schedule(Generic[J]):
    """Jobs waiting for their turn, first come, first served; at most ``rows`` are under way."""

    def __init__(self, rows: int, is_alone: Callable[[J], bool]) -> None:
        self._rows = rows
        self._is_alone = is_alone
        self.waiting: deque[J] = deque()
        self.reading: J | None = None
        self.reading_row = 0
        self.batch: list[J] = []  # by row
        self.alone: dict[J, int] = {}

    def __iter__(self) -> Iterator[J]:
        """Yield all jobs; they may be removed meanwhile."""
        reading = () if self.reading is None else (self.reading,)
        yield from (*self.batch, *self.alone, *reading, *self.waiting)

    @property
    def taken(self) -> frozenset[int]:
        """The rows that are in use."""
        reading = () if self.reading is None else (self.reading_row,)
        return frozenset((*range(len(self.batch)), *self.alone.values(), *reading))

    def add(self, job: J) -> None:
        """Let a job wait."""
        self.waiting.append(job)

    def begin(self) -> J | None:
        """Return whose prompt is to be read, taking up the next one where there is a row for it."""
        if self.reading is None and self.waiting:
            row = self._free_row(alone=self._is_alone(self.waiting[0]))
            if row is not None:
                self.reading, self.reading_row = self.waiting.popleft(), row
        return self.reading

    def promote(self) -> None:
        """Let the job whose prompt has been read write, in the row where it is."""
        job = self.reading
        if job is None:
            return
        self.reading = None
        if self._is_alone(job):
            self.alone[job] = self.reading_row
        else:
            self.batch.append(job)

    def remove(self, job: J) -> list[Move[J]]:
        """Take a job out; returns what has to be copied, in this order."""
        if job is self.reading:
            self.reading = None
        elif job in self.alone:
            del self.alone[job]
        elif job in self.batch:
            return self._close_gap(self.batch.index(job))
        else:
            self.waiting.remove(job)
        return []

    def _free_row(self, *, alone: bool) -> int | None:
        if not alone:
            border = min(self.alone.values(), default=self._rows)
            return len(self.batch) if len(self.batch) < border else None
        taken = self.alone.values()
        return next((row for row in range(self._rows - 1, len(self.batch) - 1, -1) if row not in taken), None)

    def _close_gap(self, gap: int) -> list[Move[J]]:
        latest, last = self.batch.pop(), len(self.batch)
        moves: list[Move[J]] = []
        if gap != last:
            self.batch[gap] = latest
            moves.append(Move(latest, last, gap))
        if self.reading is not None and not self._is_alone(self.reading):
            moves.append(Move(self.reading, self.reading_row, last))
            self.reading_row = last
        return moves
