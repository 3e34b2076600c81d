"""A whole mesh as a user starts it: ``hybridmesh up`` in a process of its own, watched from outside by process id."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import psutil
from nats.aio.client import Client

from hybridmesh.bus.client import Mesh, connect
from hybridmesh.bus.endpoint import Endpoint
from hybridmesh.bus.presence import Presence
from hybridmesh.bus.settings import BusSettings
from hybridmesh.bus.topology import Account, Bucket
from hybridmesh.infra.provision import connect_provisioner

PROGRAM = (sys.executable, "-P", "-m", "hybridmesh.infra")
# The small model; and short waits for what a dead process had in its hands, and for a person who is not there.
QUICK = (
    "models.local=smollm2-135m",
    "bus.ack_wait_s=5",
    "bus.drain_s=10",
    "models.request_timeout_s=15",
    "profiles.balanced.review_wait_s=2",
    "profiles.secure-research.review_wait_s=2",
)
_START_TIMEOUT_S = 90.0
_STOP_TIMEOUT_S = 40.0


@dataclass(slots=True)
class MeshProcess:
    """A mesh on a data folder; it can be started again after it ended."""

    data: Path
    settings: Sequence[str] = ()
    environment: Mapping[str, str] = field(default_factory=dict[str, str])
    _process: subprocess.Popen[bytes] | None = None

    @property
    def sets(self) -> list[str]:
        """The flags of its settings."""
        return [word for setting in (*QUICK, *self.settings) for word in ("--set", setting)]

    @property
    def flags(self) -> list[str]:
        """The flags that name this mesh and its settings, for any command."""
        return ["--data", str(self.data), *self.sets]

    @property
    def said(self) -> str:
        """What the supervisor has printed, over all its lives."""
        return self._log.read_text("utf-8")

    @property
    def supervisor(self) -> int:
        """The supervisor's process id."""
        assert self._process is not None
        return self._process.pid

    @property
    def _log(self) -> Path:
        return self.data.parent / f"{self.data.name}.up.log"

    def running(self) -> bool:
        """Say whether the supervisor lives."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Start it and wait until it says that it is up; does nothing when it runs."""
        if self.running():
            return
        with self._log.open("ab") as log:
            begin = log.tell()
            self._process = subprocess.Popen(
                [*PROGRAM, "up", "--json", *self.flags],
                stdout=log,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                env={**os.environ, **self.environment},
                cwd=self.data.parent,
                start_new_session=True,
            )
        end = time.monotonic() + _START_TIMEOUT_S
        while b"\nup. Submit" not in self._log.read_bytes()[begin:]:
            assert self._process.poll() is None, f"up ended by itself:\n{self.said}"
            assert time.monotonic() < end, f"not up in time:\n{self.said}"
            time.sleep(0.05)

    def stop(self) -> int:
        """Ask it to drain, as Ctrl-C does; return its exit code."""
        assert self._process is not None
        self._process.send_signal(signal.SIGTERM)
        return self._process.wait(_STOP_TIMEOUT_S)

    def kill(self) -> None:
        """End the supervisor alone, without a word."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def processes(self) -> dict[str, psutil.Process]:
        """Return the live children by name: ``nats`` and each agent; what else there is below them is numbered."""
        found: dict[str, psutil.Process] = {}
        for process in psutil.Process(self.supervisor).children(recursive=True):
            with contextlib.suppress(psutil.NoSuchProcess):
                name = _name(process.cmdline())
                found[name if name and name not in found else f"{name or 'other'}-{process.pid}"] = process
        return found

    def run(self, *words: str, timeout: float = 60, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
        """Run a command of the program against this mesh."""
        return subprocess.run(
            [*PROGRAM, *words, *self.flags],
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
            cwd=cwd or self.data.parent,
            env={**os.environ, **self.environment},
        )

    @contextlib.asynccontextmanager
    async def insight(self, account: Account = Account.LOCAL) -> AsyncGenerator[Client]:
        """Connect as the one who sees and may do everything in an account."""
        url = Endpoint.read(self.data).url
        async with connect_provisioner(url, self.data / "keys", account, BusSettings()) as client:
            yield client

    @contextlib.asynccontextmanager
    async def client(self) -> AsyncGenerator[Mesh]:
        """Connect as a publisher."""
        async with connect(data=self.data) as mesh:
            yield mesh


def _name(command: Sequence[str]) -> str | None:
    """Return what a child is, by its command line."""
    if command and Path(command[0]).name.startswith("nats-server"):
        return "nats"
    return command[command.index("run") + 1] if "hybridmesh.infra" in command and "run" in command else None


async def present(mesh: Mesh) -> dict[int, Presence]:
    """Return who has said to be there, by process id."""
    records = mesh.links.state(Bucket.AGENTS, Presence)
    return {record.pid: record for record in (await records.records()).values()}


def gone(processes: Sequence[psutil.Process], timeout: float) -> list[int]:
    """Wait for processes to end; return the ids of those that did not."""
    _, alive = psutil.wait_procs(list(processes), timeout=timeout)
    return [process.pid for process in alive if process.status() != psutil.STATUS_ZOMBIE]
