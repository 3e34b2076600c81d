"""What goes wrong in a schedule: drawn from its seed, some kinds at a time, and over after a while.

A schedule has few kinds of faults rather than a little of each: what one kind brings about, another may hide.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum


class Fate(StrEnum):
    """What becomes of one call to the bus."""

    PASSES = "passes"
    LOST = "lost"  # the server never sees it
    UNHEARD = "unheard"  # done, and the answer is lost
    LATE = "late"  # given up for lost, and done later
    SLOW = "slow"  # done and answered, late but in time
    DIES_BEFORE = "dies before"  # the process is killed, nothing is done
    DIES_AFTER = "dies after"  # done, and the process is killed before it hears of it
    STANDS_STILL = "stands still"  # the process is stopped for a while before the call


_CALL_FAULTS = tuple(fate for fate in Fate if fate is not Fate.PASSES)
_RATES = (0.003, 0.01, 0.03, 0.1)
_HORIZONS_S = (1.0, 10.0, 60.0, 400.0)
_MOST_DEATHS = 6
# Whole calls of the models, the cloud and the memory, which fail more often than a bus does.
_DOUBLE_RATES = (0.0, 0.0, 0.1, 0.4)
# None as long as a stream remembers ids: nothing can be promised of a process that stops between a look and an act.
_PAUSES_S = (1.0, 12.0, 35.0, 100.0, 300.0)


@dataclass(slots=True)
class Outage:
    """A time in which the bus, or one of its streams, answers nobody."""

    start: float
    end: float
    stream: str | None


@dataclass(slots=True)
class Faults:
    """The faults of one schedule, as its seed has it; see :func:`draw`.

    ``rates`` are those of calls by kind, ``doubles`` those of what is asked outside the bus, ``horizon_s`` is when all
    of them end. ``disorder`` is how often the queue hands out another than its first message.
    """

    rng: random.Random
    rates: dict[Fate, float] = field(default_factory=dict[Fate, float])
    doubles: dict[str, float] = field(default_factory=dict[str, float])
    outages: list[Outage] = field(default_factory=list[Outage])
    skews: list[tuple[float, float]] = field(default_factory=list[tuple[float, float]])  # when, and by how much
    full: list[Outage] = field(default_factory=list[Outage])
    horizon_s: float = 0.0
    disorder: float = 0.0
    vanishing: float = 0.0
    deaths_left: int = 0
    _ladder: list[tuple[float, Fate]] = field(default_factory=list[tuple[float, Fate]])
    _any: float = 0.0

    def __post_init__(self) -> None:
        total = 0.0
        for fate, rate in self.rates.items():
            total += rate
            self._ladder.append((total, fate))
        self._any = total

    def fate(self, now: float, stream: str) -> Fate:
        """Draw what becomes of a call."""
        if now >= self.horizon_s:
            return Fate.PASSES
        if self.outages and self.away(now, stream):
            return Fate.LOST
        if not self._any or (drawn := self.rng.random()) >= self._any:
            return Fate.PASSES
        fate = next(fate for total, fate in self._ladder if drawn < total)
        if fate in (Fate.DIES_BEFORE, Fate.DIES_AFTER, Fate.STANDS_STILL):
            if not self.deaths_left:
                return Fate.PASSES
            self.deaths_left -= 1
        return fate

    def away(self, now: float, stream: str) -> bool:
        """Say whether a stream cannot be reached."""
        return any(outage.start <= now < outage.end and outage.stream in (None, stream) for outage in self.outages)

    def strikes(self, now: float, what: str) -> bool:
        """Say whether something outside the bus goes wrong this time."""
        rate = self.doubles.get(what, 0.0)
        return bool(rate) and now < self.horizon_s and self.rng.random() < rate

    def vanishes(self, now: float) -> bool:
        """Say whether a message is lost after it was stored."""
        return bool(self.vanishing) and now < self.horizon_s and self.rng.random() < self.vanishing

    def choose(self, number: int) -> int:
        """Return which of so many waiting messages is next."""
        if number > 1 and self.disorder and self.rng.random() < self.disorder:
            return self.rng.randrange(number)
        return 0

    def pause_s(self) -> float:
        """Return how long a process stands still, or is away after its death."""
        return self.rng.choice(_PAUSES_S) * self.rng.uniform(0.5, 1.5)


# What may go wrong outside of the bus, by the names that the doubles ask for.
OUTSIDE_FAULTS = (
    "model-away", "model-unfit", "memory-away", "finder-fails", "cloud-away", "cloud-unsure", "cloud-refuses",
    "cloud-nonsense", "cloud-cut", "cloud-forbidden",
)  # fmt: skip


def draw(rng: random.Random, streams: Sequence[str], *, vanishing: bool = False) -> Faults:
    """Draw the faults of a schedule: none at all in one of eight."""
    if rng.random() < 0.125:
        return Faults(rng)
    horizon = rng.choice(_HORIZONS_S)
    kinds = [fate for fate in _CALL_FAULTS if rng.random() < 0.35]
    return Faults(
        rng,
        rates={fate: rng.choice(_RATES) for fate in kinds},
        doubles={what: rate for what in OUTSIDE_FAULTS if (rate := rng.choice(_DOUBLE_RATES))},
        outages=_outages(rng, streams, horizon) if rng.random() < 0.3 else [],
        full=_outages(rng, [name for name in streams if name.startswith(("WORK_", "INTAKE_"))], horizon, some=True)
        if rng.random() < 0.15
        else [],
        skews=[(rng.uniform(0, horizon), _skew(rng)) for _ in range(rng.randrange(1, 4))] if rng.random() < 0.2 else [],
        horizon_s=horizon,
        disorder=rng.choice((0.0, 0.0, 0.2, 0.8)),
        vanishing=rng.choice((0.01, 0.05)) if vanishing else 0.0,
        deaths_left=rng.randrange(1, _MOST_DEATHS),
    )


def _outages(rng: random.Random, streams: Sequence[str], horizon: float, *, some: bool = False) -> list[Outage]:
    found: list[Outage] = []
    for _ in range(rng.randrange(1, 3)):
        # Most of what happens happens in the first second.
        start = rng.uniform(0, 0.5) if rng.random() < 0.7 else rng.uniform(0, horizon)
        length = rng.choice((0.5, 5.0, 40.0, 200.0))
        one = some or rng.random() < 0.6
        found.append(Outage(start, min(start + length, horizon), rng.choice(streams) if one else None))
    return found


def _skew(rng: random.Random) -> float:
    return rng.choice((-3600.0, -200.0, -20.0, 0.0, 20.0, 200.0, 3600.0))
