"""The short form of ``make chaos``, so that it runs with every change: three kills while twelve tasks are under way."""

import pytest

from mesh_kills import kill_while_working
from mesh_process import MeshProcess

pytestmark = [pytest.mark.e2e, pytest.mark.model, pytest.mark.timeout(180)]


async def test_no_task_is_lost_and_no_money_counted_twice_when_processes_die(mesh: MeshProcess) -> None:
    """Nothing is lost; Nothing is hidden: one end a task, one settlement an attempt, and a log that is whole."""
    after = await kill_while_working(mesh, ("consultant", "nats", "worker"), tasks=12)
    after.show()
    assert all(kill.under_way for kill in after.kills)
    assert set(after.ends.values()) == {1}
    assert sum(after.outcomes.values()) == 12
    assert (after.unexplained, set(after.outcomes) - {"completed", "verification"}) == (0, set())
    assert set(after.settled.values()) == {1}
    assert not after.log.findings
