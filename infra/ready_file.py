"""A file that is there while an agent is at work: what a container's probe looks at, as that costs nothing."""

import asyncio
import contextlib
import os
from collections.abc import AsyncGenerator
from pathlib import Path

from hybridmesh.bus.cancellation import end_tasks


@contextlib.asynccontextmanager
async def told_by_file(ready: asyncio.Event, file: Path | None) -> AsyncGenerator[None]:
    """Write the file when ``ready`` is set, and remove it at the end; one that a killed process left goes at once.

    Raises:
        OSError: it cannot be written there, which is found before anything else begins.

    """
    if file is None:
        yield
        return
    _write(file)
    _remove(file)

    async def tell() -> None:
        await ready.wait()
        _write(file)

    telling = asyncio.create_task(tell())
    try:
        yield
    finally:
        await end_tasks({telling})
        _remove(file)


def _write(file: Path) -> None:
    file.write_text(f"{os.getpid()}\n", "utf-8")


def _remove(file: Path) -> None:
    file.unlink(missing_ok=True)
