"""The router's view of how busy the local models are, on a real bucket."""

import pytest

from harness import Bus
from hybridmesh.agents.router.live_speed import LiveSpeed
from hybridmesh.agents.router.speed import Latencies
from hybridmesh.bus.presence import Attendance, Presence
from hybridmesh.bus.publisher import utc_now
from hybridmesh.bus.topology import Bucket
from hybridmesh.schemas.inference import ModelLoad

pytestmark = pytest.mark.connected


async def test_the_speed_of_the_workers_is_read_from_their_signs_of_life(bus: Bus) -> None:
    """It runs on what you have: how busy the model for drafts is reaches the speed check; a silent mesh is usual."""
    present = bus.state(Bucket.AGENTS, Presence)
    speed = LiveSpeed(present)
    await speed.look()
    assert speed.latencies() == Latencies()
    worker = Attendance(present, "worker", utc_now)
    writer = ModelLoad(model="large", purposes=("draft",), running=1, waiting=3, latency_s=5, write_tokens_s=10)
    await worker.renew(1, 0, [ModelLoad(model="small"), writer])
    await Attendance(present, "router", utc_now).renew(0, 0)
    await speed.look()
    assert (speed.latencies().waiting_s, speed.latencies().local_write) == (15, 10)
