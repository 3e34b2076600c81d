"""Runs one nats-server on loopback: own data folder under a lock, synced writes, same port after a restart."""

import fcntl
import json
import os
import signal
import socket
import subprocess
import threading
import time
from pathlib import Path
from typing import IO, Self

from hybridmesh.bus.errors import SetupError, UsageError
from hybridmesh.bus.topology import Account
from hybridmesh.infra.nats.access import ServerPlace, server_config
from hybridmesh.infra.nats.binary import find_binary
from hybridmesh.infra.parent_death import die_with_parent

_START_TIMEOUT_S = 20.0
_STOP_TIMEOUT_S = 20.0
_PORT_TIMEOUT_S = 3.0
_RELOAD_TIMEOUT_S = 5.0
_RELOADED = b"Reloaded server configuration"


def take_lock(folder: Path) -> IO[str]:
    """Return the open lock of a server's folder, which ends with it or with the process; raises UsageError if taken."""
    lock = (folder / "lock").open("a+")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.seek(0)
        owner = lock.read().strip() or "unknown"
        lock.close()
        raise UsageError(
            f"this data folder is in use by the mesh of process {owner}",
            remedy="stop that one first, or choose another folder with --data",
        ) from None
    lock.truncate(0)
    lock.write(str(os.getpid()))
    lock.flush()
    return lock


class NatsServer:
    """An embedded server; ``url`` is valid while it runs.

    A second one on the same folder raises UsageError. After a crash, a new one goes on from the same store and
    takes the same port, so that clients find it again. ``access`` is the part of its configuration that says who gets
    in; without it everybody on this machine does.
    """

    def __init__(self, folder: Path, *, port: int = 0, binary: Path | None = None, access: str = "") -> None:
        self._folder = folder
        self._access = access
        self._binary = find_binary(binary)
        self._lock: IO[str] | None = None
        self._changing = threading.Lock()  # what it is started with, and the process that was
        self._listens = -1  # the port that it was told: it goes on with no other configuration
        self._process: subprocess.Popen[bytes] | None = None
        self._asked_port = port
        self._port = port or self._last_port()
        self.url = ""

    def __enter__(self) -> Self:
        """Start."""
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop."""
        self.stop()

    @property
    def pid(self) -> int:
        """The server's process id."""
        if self._process is None:
            raise SetupError("the server is not running")
        return self._process.pid

    def alive(self) -> bool:
        """Say whether the process runs."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Start and wait until it answers.

        Raises:
            UsageError: the folder is in use.
            SetupError: it does not come up, and the message holds the end of its log; or the port asked for is taken.

        """
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._lock = take_lock(self._folder)
        if self._access:
            self._move_in()
        try:
            self._await_port()
            self._launch()
        except SetupError:
            self.stop()
            raise

    def restart(self) -> None:
        """Start again, whether the process died or runs; the lock is held throughout.

        Raises:
            SetupError: it does not come up.

        """
        with self._changing:
            self._end()
            self._launch()

    def let_in(self, access: str) -> None:
        """Have it let in whom ``access`` names from now on; who is connected and named no more is cut off.

        Raises:
            SetupError: it does not say that it does.

        """
        with self._changing:
            self._access = access  # also of the next start, if this does not come to its end
            if self.alive():
                self._write_config()
                log = self._folder / "nats.log"
                told = log.stat().st_size
                os.kill(self.pid, signal.SIGHUP)
                self._await_reload(log, told)

    def stop(self) -> None:
        """Stop, and give the folder free."""
        self._end()
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def _end(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(_STOP_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        self._process = None

    def _await_port(self) -> None:
        """A port that was asked for is the one that clients go to: another would be no help to them."""
        deadline = time.monotonic() + _PORT_TIMEOUT_S  # who had it before may be about to end
        while self._asked_port and not _is_free(self._asked_port):
            if time.monotonic() > deadline:
                raise SetupError(
                    f"port {self._asked_port} is taken by another program",
                    remedy="end it, or leave bus.port out to have a free one",
                )
            time.sleep(0.1)

    def _move_in(self) -> None:
        """Give what was stored before there were accounts to the one where everything private is."""
        streams = self._folder / "jetstream" / "jetstream"
        before, after = streams / "$G", streams / Account.LOCAL
        if before.is_dir() and not after.exists():
            before.rename(after)

    def _launch(self) -> None:
        for stale in self._folder.glob("*.ports"):
            stale.unlink()
        self._listens = self._port if self._port and _is_free(self._port) else -1
        config = self._write_config()
        with (self._folder / "server.out").open("ab") as out:
            self._process = subprocess.Popen(
                [str(self._binary), "-c", str(config)],
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=die_with_parent,  # noqa: PLW1509 - one prctl call, no locks taken
            )
        self.url = self._await_ready()
        self._port = int(self.url.rpartition(":")[2])
        (self._folder / "port").write_text(str(self._port), "utf-8")

    def _write_config(self) -> Path:
        config, draft = self._folder / "nats.conf", self._folder / ".nats.conf"
        draft.write_text(self._config(self._listens), "utf-8")
        draft.replace(config)
        return config

    def _config(self, port: int) -> str:
        folder = self._folder.resolve()
        place = ServerPlace(f"127.0.0.1:{port}", folder / "jetstream")
        return (
            f"{server_config(place)}"
            f"ports_file_dir: {json.dumps(str(folder))}\n"
            f"log_file: {json.dumps(str(folder / 'nats.log'))}\n"
            "log_size_limit: 10MB\n"
            f"{self._access}"
        )

    def _await_ready(self) -> str:
        end = time.monotonic() + _START_TIMEOUT_S
        while time.monotonic() < end:
            if self._process is None or self._process.poll() is not None:
                break
            for ports in self._folder.glob("*.ports"):
                try:
                    url: str = json.loads(ports.read_text("utf-8"))["nats"][0]
                except (ValueError, KeyError, OSError):
                    continue  # still being written
                if _answers(url):
                    return url
            time.sleep(0.01)
        self._end()
        raise SetupError(f"nats-server did not start: {self._log_end()}", remedy="see nats.log in the data folder")

    def _await_reload(self, log: Path, told: int) -> None:
        """Wait until the log says behind what it ``told`` before that the configuration was read again."""
        end = time.monotonic() + _RELOAD_TIMEOUT_S
        while time.monotonic() < end:
            with log.open("rb") as lines:
                lines.seek(told if told <= log.stat().st_size else 0)  # it begins anew at its limit
                if _RELOADED in lines.read():
                    return
            time.sleep(0.01)
        raise SetupError(
            f"nats-server did not take its new configuration: {self._log_end()}",
            remedy="see nats.log in the data folder, and start the mesh again",
        )

    def _log_end(self) -> str:
        for name in ("nats.log", "server.out"):
            path = self._folder / name
            if path.exists() and (text := path.read_text("utf-8", "replace").strip()):
                return text.splitlines()[-1]
        return "no log"

    def _last_port(self) -> int:
        try:
            return int((self._folder / "port").read_text("utf-8"))
        except (OSError, ValueError):
            return 0


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _answers(url: str) -> bool:
    host, _, port = url.removeprefix("nats://").rpartition(":")
    try:
        with socket.create_connection((host, int(port)), timeout=1) as connection:
            return connection.recv(16).startswith(b"INFO")
    except OSError:
        return False
