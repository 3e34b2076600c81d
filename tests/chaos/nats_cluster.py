"""Three NATS servers on loopback that hold every stream together, configured by the mesh's own command."""

import contextlib
import signal
import socket
import subprocess
import time
from collections.abc import Generator
from dataclasses import dataclass, field
from pathlib import Path

from hybridmesh.infra.nats.binary import find_binary
from hybridmesh.infra.parent_death import die_with_parent
from mesh_process import PROGRAM

_START_S = 20.0


@dataclass(slots=True)
class ClusterServer:
    """One of the servers; it can be killed and started again."""

    name: str
    config: Path
    port: int
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start and wait until it takes connections."""
        with self.config.with_suffix(".out").open("ab") as out:
            self.process = subprocess.Popen(
                [str(find_binary(None)), "-c", str(self.config)],
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=die_with_parent,  # noqa: PLW1509 - one prctl call, no locks taken
            )
        end = time.monotonic() + _START_S
        while True:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=1):
                return
            assert time.monotonic() < end, self.config.with_suffix(".out").read_text("utf-8")
            time.sleep(0.05)

    def end(self, how: signal.Signals = signal.SIGKILL) -> None:
        """End it."""
        if self.process is not None:
            self.process.send_signal(how)
            self.process.wait()
            self.process = None


@dataclass(slots=True)
class Cluster:
    """The servers by name."""

    servers: dict[str, ClusterServer] = field(default_factory=dict[str, ClusterServer])

    @property
    def url(self) -> str:
        """All of them, as ``--nats`` takes it."""
        return ",".join(f"nats://127.0.0.1:{server.port}" for server in self.servers.values())


@contextlib.contextmanager
def nats_cluster(folder: Path, keys: Path, size: int = 3) -> Generator[Cluster]:
    """Run a cluster whose servers let in the identities of a folder of keys."""
    ports = free_ports(2 * size)
    routes = [f"nats://127.0.0.1:{port}" for port in ports[size:]]
    cluster = Cluster()
    try:
        for number in range(size):
            name = f"server-{number + 1}"
            words = ["--name", name, "--listen", f"127.0.0.1:{ports[number]}", "--store", str(folder / name)]
            words += ["--cluster", f"127.0.0.1:{ports[size + number]}"]
            words += [word for route in routes for word in ("--route", route)]
            config = folder / f"{name}.conf"
            command = [*PROGRAM, "bus", "config", "--keys", str(keys), "--out", str(config), *words]
            subprocess.run(command, check=True, capture_output=True)
            cluster.servers[name] = ClusterServer(name, config, ports[number])
        for server in cluster.servers.values():
            server.start()
        yield cluster
    finally:
        for server in cluster.servers.values():
            server.end()


def free_ports(count: int) -> list[int]:
    """Return ports that nobody listens on now."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for held in sockets:
            held.bind(("127.0.0.1", 0))
        return [int(held.getsockname()[1]) for held in sockets]
