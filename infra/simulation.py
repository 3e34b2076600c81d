"""Which cloud a mesh talks to, and the simulated one as a process of its own."""

import asyncio
import contextlib
import json
import sys
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from hybridmesh.agents.consultant.claude import check_access
from hybridmesh.bus.errors import SetupError
from hybridmesh.bus.settings import MeshSettings
from hybridmesh.infra.model_setup import model_folder
from hybridmesh.infra.parent_death import die_with_parent
from hybridmesh.infra.settings import child_environment

_START_TIMEOUT_S = 90.0


class CloudChoice(StrEnum):
    """Where consults go."""

    ANTHROPIC = "anthropic"
    SIMULATED = "simulated"
    NONE = "none"

    def describe(self, settings: MeshSettings) -> str:
        """Return a line for people."""
        match self:
            case CloudChoice.ANTHROPIC:
                return f"Anthropic, {settings.cloud.model}"
            case CloudChoice.SIMULATED:
                return f"SIMULATED: {settings.models.local} answers in the place of {settings.cloud.model}"
            case CloudChoice.NONE:
                return "none: everything stays local"


def choose_cloud(settings: MeshSettings) -> CloudChoice:
    """Return the provider; without a key ``auto`` is simulated.

    Raises:
        SetupError: a chosen provider has no key, or the key or its address is one that cannot be used.

    """
    chosen = _chosen(settings)
    if chosen is CloudChoice.ANTHROPIC and settings.cloud.api_key is not None:
        check_access(settings.cloud.api_key, settings.cloud.base_url)
    return chosen


def _chosen(settings: MeshSettings) -> CloudChoice:
    match settings.cloud.provider:
        case "auto":
            return CloudChoice.ANTHROPIC if settings.cloud.api_key else CloudChoice.SIMULATED
        case "anthropic" if settings.cloud.api_key is None:
            raise SetupError("no cloud key", remedy="set ANTHROPIC_API_KEY, or cloud.provider to simulated or none")
        case chosen:
            return CloudChoice(chosen)


@dataclass(frozen=True, slots=True)
class SimulatedCloud:
    """A running simulated cloud; ``record`` gets each body it receives."""

    url: str
    pid: int
    record: Path

    @staticmethod
    @contextlib.asynccontextmanager
    async def start(settings: MeshSettings, record: Path) -> AsyncGenerator["SimulatedCloud"]:
        """Start one, yield it when it answers, and end it; raises SetupError when it does not come up."""
        folder = await asyncio.to_thread(model_folder, settings, settings.models.local)
        record.parent.mkdir(parents=True, exist_ok=True)
        log = settings.data.resolve() / "logs" / "simulated-cloud.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, "-P", "-m", "hybridmesh.infra.simulated_cloud", "--port", "0"]
        with log.open("ab") as errors:
            process = await asyncio.create_subprocess_exec(
                *command,
                "--model-folder",
                str(folder),
                "--record",
                str(record),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=errors,
                env=child_environment(),
                start_new_session=True,
                preexec_fn=die_with_parent,
            )
        try:
            yield SimulatedCloud(await _await_url(process, log), process.pid, record)
        finally:
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
            await process.wait()


async def _await_url(process: asyncio.subprocess.Process, log: Path) -> str:
    remedy = f"see {log.name} in the logs folder of the data folder"
    if process.stdout is None:
        raise SetupError("the simulated cloud has no output", remedy=remedy)
    try:
        line = await asyncio.wait_for(process.stdout.readline(), _START_TIMEOUT_S)
        url: str = json.loads(line)["url"]
    except (TimeoutError, ValueError, KeyError) as error:
        raise SetupError("the simulated cloud did not start", remedy=remedy) from error
    return url
