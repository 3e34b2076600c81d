"""What the shipped model came from: trainings from the base and from one another, and its share of each; pure."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

_SEED: Final = 20261125


@dataclass(frozen=True, slots=True)
class Training:
    """One training: it goes on from ``after``, or from the base, and stops at ``stop`` of the steps that its rate is
    planned for. ``seed`` is that of its texts, their order and what is hidden; ``share`` is its part of the mean.
    """

    name: str
    seed: int
    texts: int
    steps: int
    stop: int
    share: float
    after: str | None = None


# The release before, itself a mean of stages, is half of what ships (how their 25,000 steps were divided is not on
# record); the other half was stopped while its rate was near its middle, as going on fitted our own texts better and
# others no better.
RECIPE: Final = (
    Training("first", _SEED, 150_000, 10_000, 10_000, 1 / 6),
    Training("second", _SEED + 1, 150_000, 7_500, 7_500, 1 / 6, after="first"),
    Training("third", _SEED + 2, 150_000, 7_500, 7_500, 1 / 6, after="second"),
    Training("fresh", _SEED, 300_000, 20_000, 11_500, 1 / 2),
)


def go_on() -> tuple[Training, ...]:
    """Return the plan of who goes on from a model of theirs: the last training, and nothing else in the mean."""
    return (replace(RECIPE[-1], share=1.0),)


def shortened(plan: Sequence[Training], steps: int, texts: int) -> tuple[Training, ...]:
    """Return the same plan with so many steps and texts at most, to try it."""
    return tuple(
        replace(
            training,
            texts=min(training.texts, texts),
            steps=min(training.steps, steps),
            stop=max(1, min(training.steps, steps) * training.stop // training.steps),
        )
        for training in plan
    )


def missing(plan: Iterable[Training], done: Iterable[str]) -> Iterator[Training]:
    """Yield the trainings that are to be done yet, each behind the one that it goes on from."""
    have = set(done)
    return (training for training in plan if training.name not in have)


def mean_of(states: Sequence[Mapping[str, Any]], shares: Sequence[float]) -> dict[str, Any]:
    """Return the mean of weights, by shares that add up to one: it errs less on texts unlike those of training.

    Wortsman and others, "Model soups", 2022 (arXiv 2203.05482).

    Raises:
        ValueError: the shares do not add up, or the weights are not of the same model.

    """
    if abs(sum(shares) - 1) > 1e-9 or len(shares) != len(states):
        raise ValueError("the shares of a mean add up to one")
    if any(state.keys() != states[0].keys() for state in states):
        raise ValueError("a mean is of weights of one model")
    return {name: sum(state[name] * share for state, share in zip(states, shares, strict=True)) for name in states[0]}
