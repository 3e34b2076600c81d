"""``python -m hybridmesh.infra.simulated_cloud``: serve until SIGTERM, or until the parent process is gone.

Prints one JSON line, ``{"url": ..., "model": ..., "simulated": true}``, when it is ready.
"""

import argparse
import asyncio
import contextlib
import json
import os
import signal
import socket
import sys
from collections.abc import Sequence
from pathlib import Path
from types import FrameType
from typing import NoReturn

import uvicorn

from hybridmesh.agents.worker.onnx_memory import ModelMemory
from hybridmesh.agents.worker.onnx_model import OnnxModel
from hybridmesh.bus.publisher import utc_now
from hybridmesh.infra.simulated_cloud.app import build_app
from hybridmesh.infra.simulated_cloud.wire import simulated_name

_LOOPBACK = "127.0.0.1"
# It answers one at a time, and shares a laptop with the worker's model.
_ROWS = 1
_PREFIX_BYTES = 16_000_000
_PARENT_CHECK_S = 0.5


class AnnouncingServer(uvicorn.Server):
    """Says where it listens as soon as it does."""

    announcement = ""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen, then print the announcement."""
        await super().startup(sockets)
        sys.stdout.write(self.announcement + "\n")
        sys.stdout.flush()


def parse_arguments(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Return the command line's settings."""
    parser = argparse.ArgumentParser(prog="hybridmesh.infra.simulated_cloud", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--model-folder", type=Path, required=True, help="a prepared model")
    parser.add_argument("--record", type=Path, required=True, help="file that every request is appended to")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--max-prompt-tokens", type=int, default=1536)
    return parser.parse_args(arguments)


async def serve(server: AnnouncingServer, listener: socket.socket, parent: int) -> None:
    """Serve until the server is told to stop, or another process has become our parent."""
    watch = asyncio.create_task(_stop_with_parent(server, parent))
    try:
        await server.serve(sockets=[listener])
    finally:
        watch.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await watch


async def _stop_with_parent(server: AnnouncingServer, parent: int) -> None:
    while os.getppid() == parent:  # noqa: ASYNC110 - nothing tells a process that it was orphaned
        await asyncio.sleep(_PARENT_CHECK_S)
    server.should_exit = True


def _end(_signal: int, _frame: FrameType | None) -> NoReturn:
    sys.exit(0)


def main(arguments: Sequence[str] | None = None) -> None:
    """Load the model, listen on the loopback interface, and serve."""
    parent = os.getppid()
    # uvicorn raises the signal again when it has shut down: that is to close the model, not to kill us.
    signal.signal(signal.SIGTERM, _end)
    settings = parse_arguments(arguments)
    settings.record.parent.mkdir(parents=True, exist_ok=True)
    settings.record.touch(mode=0o600)
    listener = socket.create_server((_LOOPBACK, settings.port))
    with OnnxModel.load(
        settings.model_folder,
        name=settings.model_folder.name,
        threads=settings.threads,
        max_prompt_tokens=settings.max_prompt_tokens,
        rows=_ROWS,
        memory=ModelMemory(prefix_bytes=_PREFIX_BYTES),
    ) as model:
        app = build_app(model, settings.record, utc_now, max_prompt_tokens=settings.max_prompt_tokens)
        server = AnnouncingServer(
            uvicorn.Config(
                app,
                access_log=False,
                log_level="warning",
                server_header=False,
                lifespan="off",
                timeout_graceful_shutdown=5,
            )
        )
        server.announcement = json.dumps(
            {
                "url": f"http://{_LOOPBACK}:{listener.getsockname()[1]}",
                "model": simulated_name(model.name),
                "simulated": True,
            }
        )
        asyncio.run(serve(server, listener, parent))


if __name__ == "__main__":
    main()
