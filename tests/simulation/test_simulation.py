"""The mesh under simulated faults: some hundred schedules, and that the simulator finds what it is to find."""

import os
import subprocess
import sys
from itertools import count
from pathlib import Path

import pytest

from simulation.__main__ import check
from simulation.plants import PLANTS, planted
from simulation.promises import broken
from simulation.schedule import run

pytestmark = pytest.mark.timeout(180)  # hundreds of schedules in one test, on a machine that may be busy

SOON = 150  # seeds in which each planted bug has to show itself


def test_the_promises_hold_in_some_hundred_schedules() -> None:
    """Nothing is lost, no one gets in, nothing is hidden, nothing private leaves: whatever these seeds bring."""
    assert check(range(400)) == []


@pytest.mark.parametrize("name", PLANTS)
def test_a_planted_bug_is_found(name: str) -> None:
    """Nothing is hidden: a check that finds nothing could be one that looks at nothing."""
    with planted(name):
        found = next((seed for seed in range(SOON) if broken(run(seed))), None)
    assert found is not None
    assert broken(run(found)) == [], "without the bug the same schedule is fine"


def test_a_seed_is_the_same_schedule_in_every_process() -> None:
    """Nothing is hidden: what a seed has shown can be shown again, anywhere."""
    here = [run(seed, traced=True).trace for seed in (3, 11)]
    run(5)
    assert [run(seed, traced=True).trace for seed in (3, 11)] == here
    told = subprocess.run(
        [sys.executable, "-m", "simulation", "--seed", "11"],
        cwd=Path(__file__).parents[1],
        env={**os.environ, "PYTHONHASHSEED": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert told.stdout.splitlines() == [*here[1], "seed 11: all promises hold"]


def test_schedules_reach_what_they_are_to_try() -> None:
    """Nothing is hidden: the lanes, the burials, the questions and the repeats are all among the schedules."""
    seen: set[str] = set()
    for seed in count():
        outcome = run(seed)
        seen |= {stored.headers.get("ce-type", "") for _, stored in outcome.history} | {
            name for name, _ in outcome.history
        }
        wanted = {
            *(f"hybridmesh.{kind}.v1" for kind in ("consult.advised", "consult.refused", "step.rejected")),
            *(f"hybridmesh.{kind}.v1" for kind in ("approval.given", "task.cancel", "step.failed", "task.completed")),
            "DEAD",
            "OBJ_bodies",
        }
        if wanted <= seen:
            break
        assert seed < 300, wanted - seen
