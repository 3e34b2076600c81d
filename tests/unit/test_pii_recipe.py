"""The recipe of the shipped classifier: what is trained from what, what is left to do, and the mean."""

import numpy as np
import pytest

from hybridmesh.infra.pii_training.recipe import RECIPE, go_on, mean_of, missing, shortened
from hybridmesh.infra.pii_training.training import rate


def test_each_training_stands_behind_the_one_that_it_goes_on_from() -> None:
    """It runs on what you have: the shipped model is half stages, half a run from the base that was stopped early."""
    names = [training.name for training in RECIPE]
    assert len(set(names)) == len(names)
    for place, training in enumerate(RECIPE):
        assert training.after is None or training.after in names[:place]
        assert 0 < training.stop <= training.steps
    assert sum(training.share for training in RECIPE) == pytest.approx(1)
    stages = [training for training in RECIPE if training.name != "fresh"]
    assert sum(training.stop for training in stages) == 25_000
    assert sum(training.share for training in stages) == pytest.approx(0.5)
    assert [(training.stop, training.after) for training in RECIPE if training.name == "fresh"] == [(11_500, None)]


def test_what_is_done_is_not_done_again() -> None:
    """Nothing is lost: a recipe that was interrupted goes on with the training that it was in."""
    assert [training.name for training in missing(RECIPE, [])] == ["first", "second", "third", "fresh"]
    assert [training.name for training in missing(RECIPE, ["first", "second"])] == ["third", "fresh"]
    assert not list(missing(RECIPE, [training.name for training in RECIPE]))


def test_a_plan_can_be_tried_with_a_few_steps() -> None:
    """It runs on what you have: the same plan in a minute, each training stopped where it would have been."""
    tried = shortened(RECIPE, 100, 50)
    assert [(training.steps, training.stop, training.texts) for training in tried] == [
        (100, 100, 50), (100, 100, 50), (100, 100, 50), (100, 57, 50),
    ]  # fmt: skip
    assert [(training.share, training.after) for training in tried] == [(each.share, each.after) for each in RECIPE]
    assert [(training.name, training.share) for training in go_on()] == [("fresh", 1.0)]


def test_the_mean_is_by_shares() -> None:
    """It runs on what you have: weights of one model, each as much as its share."""
    states = [{"a": np.array([1.0, 2.0]), "b": np.array(4.0)}, {"a": np.array([3.0, 6.0]), "b": np.array(0.0)}]
    mean = mean_of(states, [0.25, 0.75])
    assert mean["a"].tolist() == [2.5, 5.0]
    assert mean["b"] == 1.0
    assert states[0]["a"].tolist() == [1.0, 2.0]
    with pytest.raises(ValueError, match="add up"):
        mean_of(states, [0.5, 0.6])
    with pytest.raises(ValueError, match="one model"):
        mean_of([states[0], {"a": np.array(1.0)}], [0.5, 0.5])


def test_the_rate_rises_and_falls() -> None:
    """It runs on what you have: the run from the base stops while its rate is near its middle."""
    fresh = RECIPE[-1]
    assert rate(1, 20_000) < rate(150, 20_000) == max(rate(step, 20_000) for step in range(0, 20_000, 50))
    assert 0.4 < rate(fresh.stop, fresh.steps) / rate(150, fresh.steps) < 0.5
    assert rate(10_000, 10_000) == pytest.approx(0.02 * rate(150, 10_000))
