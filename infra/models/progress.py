"""How far a preparation is, and how that is told to people: share, size and time left."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

QUIET_S: Final = 10.0  # after this long something is said, whatever is new
SETTLED_S: Final = 1.0  # a speed taken over less is a guess


@dataclass(frozen=True, slots=True)
class Amount:
    """``done`` of ``total``, in bytes or, where ``is_bytes`` is false, in steps."""

    done: int
    total: int
    is_bytes: bool = True

    @property
    def share(self) -> float:
        """Return the part that is done, 0 to 1."""
        return min(1.0, self.done / self.total) if self.total else 1.0


Progress = Callable[[str, Amount | None], None]


def silent(_words: str, _amount: Amount | None) -> None:
    """Tell nobody."""


class ProgressLines:
    """Says each new thing that is done, and then again at every ten per cent, or every ten seconds."""

    def __init__(self, name: str, tell: Callable[[str], None], clock: Callable[[], float] = time.monotonic) -> None:
        self._name, self._tell, self._clock = name, tell, clock
        self._words = ""
        self._began, self._had = 0.0, 0  # when the present thing began, and what was there by then
        self._said_at, self._said_tenth = 0.0, -1

    def __call__(self, words: str, amount: Amount | None) -> None:
        """Say it, unless much the same was just said."""
        now, tenth = self._clock(), int(amount.share * 10) if amount else -1
        if words != self._words:
            self._words, self._began, self._had = words, now, amount.done if amount else 0
        elif tenth == self._said_tenth and now - self._said_at < QUIET_S:
            return
        self._said_at, self._said_tenth = now, tenth
        parts = [f"{self._name}: {words}"]
        if amount:
            parts += [f"{amount.done // 1_000_000} of {amount.total // 1_000_000} MB"] * amount.is_bytes
            parts.append(f"{amount.share:.0%}")
            parts += self._time_left(amount, now - self._began)
        self._tell(", ".join(parts))

    def _time_left(self, amount: Amount, took_s: float) -> list[str]:
        gained, left = amount.done - self._had, amount.total - amount.done
        if gained <= 0 or left <= 0 or took_s < SETTLED_S:
            return []
        seconds = left * took_s / gained
        return [f"about {seconds:.0f} s left" if seconds < 100 else f"about {seconds / 60:.0f} min left"]  # noqa: PLR2004
