"""A mesh that is stopped while it starts: a newcomer's first Ctrl-C comes while models are fetched for minutes."""

import asyncio
import os
import signal
import threading
from pathlib import Path

import pytest

from hybridmesh.bus.settings import MeshSettings
from hybridmesh.infra.nats.server import take_lock
from hybridmesh.infra.up import Options, Running, serve_until_stopped

pytestmark = pytest.mark.connected


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_a_stop_does_not_wait_for_models(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, number: signal.Signals
) -> None:
    """Nothing is lost: whoever stops a start gets the folder back at once, with nothing running on it."""
    begun, over = threading.Event(), threading.Event()

    def fetch_for_ever(*_: object) -> None:
        begun.set()
        over.wait(60)

    def came_up(_: Running) -> None:
        raise AssertionError

    monkeypatch.setattr("hybridmesh.infra.up.ensure_models", fetch_for_ever)
    said: list[str] = []
    settings = MeshSettings(data=tmp_path / "data")
    serving = asyncio.create_task(serve_until_stopped(settings, Options(), said.append, came_up))
    try:
        assert await asyncio.to_thread(begun.wait, 20)
        os.kill(os.getpid(), number)
        async with asyncio.timeout(10):
            assert await serving is False
    finally:
        over.set()
    assert said == ["stopped before it was up"]
    take_lock(tmp_path / "data" / "nats").close()
