"""Fifty tasks under way, and ``kill -9`` for each agent and for the bus in turn."""

from collections.abc import Iterator

import pytest

from cloud_thread import cloud_thread
from hybridmesh.bus.topology import AGENTS
from mesh_kills import NATS, kill_while_working
from mesh_process import MeshProcess

pytestmark = [pytest.mark.chaos, pytest.mark.model, pytest.mark.timeout(600)]

TASKS = 50


@pytest.fixture
def mesh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MeshProcess]:
    """A mesh of its own, with the recording double as its cloud."""
    with cloud_thread() as cloud:
        settings = ("cloud.provider=anthropic", f"cloud.base_url={cloud.url}")
        process = MeshProcess(tmp_path_factory.mktemp("chaos") / "data", settings, {"ANTHROPIC_API_KEY": "test"})
        try:
            process.start()
            yield process
        finally:
            if process.running():
                assert process.stop() == 0


async def test_each_process_may_die_at_any_time(mesh: MeshProcess) -> None:
    """Nothing is lost; Nothing is hidden: one end a task, one settlement an attempt, and a log that is whole."""
    after = await kill_while_working(mesh, (*AGENTS, NATS), tasks=TASKS)
    after.show()
    assert all(kill.under_way for kill in after.kills)
    assert len(after.ends) == TASKS
    assert set(after.ends.values()) == {1}
    assert (after.unexplained, set(after.outcomes) - {"completed", "verification"}) == (0, set())
    assert set(after.settled.values()) == {1}
    assert not after.log.findings
