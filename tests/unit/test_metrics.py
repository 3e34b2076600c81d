"""What a scrape says: counts and times by type and code, and nothing of what a message holds."""

import socket
import urllib.request

import pytest

from hybridmesh.bus.errors import SetupError
from hybridmesh.bus.metrics import Metrics
from hybridmesh.schemas.inference import ModelLoad


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
        return port


def scrape(port: int) -> str:
    """Return what an agent answers."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as reply:
        text: str = reply.read().decode()
        return text


def test_a_scrape_tells_counts_times_and_codes() -> None:
    """Nothing is hidden: whoever runs the mesh sees how much it does, how long that takes and what fails."""
    metrics, port = Metrics("router"), free_port()
    assert metrics.serve("127.0.0.1", [port]) == port
    metrics.took("step.classified", 0.004)
    metrics.handed_back("mesh-unavailable")
    metrics.buried("bad-record")
    metrics.answered("mesh.memory.search", "ok", 0.01)
    loads = [ModelLoad(model="gone", running=1)]
    metrics.follow(lambda: loads)
    assert 'hybridmesh_model_running{agent="router",model="gone"} 1.0' in scrape(port)
    loads = [ModelLoad(model="qwen", running=3, write_tokens_s=41.5), ModelLoad(model="smollm2")]
    with metrics.in_hand():
        busy = scrape(port)
    told = scrape(port)
    assert 'hybridmesh_messages_in_hand{agent="router"} 1.0' in busy
    assert 'hybridmesh_messages_in_hand{agent="router"} 0.0' in told
    assert 'hybridmesh_message_seconds_count{agent="router",type="step.classified"} 1.0' in told
    assert 'hybridmesh_message_seconds_bucket{agent="router",le="0.005",type="step.classified"} 1.0' in told
    assert 'hybridmesh_messages_handed_back_total{agent="router",reason="mesh-unavailable"} 1.0' in told
    assert 'hybridmesh_messages_buried_total{agent="router",reason="bad-record"} 1.0' in told
    assert 'hybridmesh_model_running{agent="router",model="qwen"} 3.0' in told
    assert "gone" not in told
    assert 'hybridmesh_model_write_tokens_s{agent="router",model="qwen"} 41.5' in told
    assert 'hybridmesh_request_seconds_count{agent="router",outcome="ok",request="mesh.memory.search"} 1.0' in told


def test_a_replica_takes_the_next_port_and_none_at_all_has_a_remedy() -> None:
    """It runs on what you have: two replicas on one machine do not meet, and the error names the setting."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port, other = taken.getsockname()[1], free_port()
        assert Metrics("router").serve("127.0.0.1", [port, other]) == other
        with pytest.raises(SetupError) as caught:
            Metrics("router").serve("127.0.0.1", [port])
    assert "metrics.port" in (caught.value.remedy or "")
