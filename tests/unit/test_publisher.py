"""How long a publish goes on when nothing takes it, in virtual time."""

from pathlib import Path
from typing import Any, cast

import pytest
from nats.js import JetStreamContext
from nats.js.errors import NoStreamResponseError, ServiceUnavailableError

from hybridmesh.bus.envelope import Envelope
from hybridmesh.bus.errors import MeshBusy, MeshUnavailable, StoreFailed
from hybridmesh.bus.identity import Identity, read_identity
from hybridmesh.bus.publisher import Publisher
from simulation.virtual_time import VirtualLoop

ENVELOPE = Envelope("mesh.step.ready.x", {"Nats-Msg-Id": "x"}, b"{}")


class Leaderless:
    """A cluster that has no leader for a stream until ``since``: it says at once that there is none, or nothing."""

    def __init__(self, loop: VirtualLoop, since: float, *, silent: bool = False) -> None:
        self._loop = loop
        self._since = since
        self._silent = silent
        self.tries: list[float] = []
        self.ids: set[str] = set()

    async def publish(self, subject: str, body: bytes, *, timeout: float, headers: dict[str, str]) -> None:
        self.tries.append(self._loop.time())
        self.ids.add(headers["Nats-Msg-Id"])
        if self.tries[-1] >= self._since:
            return
        if self._silent:
            await self._loop_sleep(timeout)
            raise TimeoutError
        raise NoStreamResponseError

    async def _loop_sleep(self, seconds: float) -> None:
        over = self._loop.create_future()
        self._loop.call_later(seconds, over.set_result, None)
        await over


@pytest.fixture
def identity(keys_folder: Path) -> Identity:
    return read_identity(keys_folder, "router")


def publish(identity: Identity, since: float, *, silent: bool = False) -> tuple[Leaderless, Any, float]:
    """Publish once; return what the cluster saw, what came of it, and when."""
    loop = VirtualLoop()
    cluster = Leaderless(loop, since, silent=silent)
    publisher = Publisher(cast("JetStreamContext", cluster), identity, max_body_bytes=1024)
    with loop.running():
        task = loop.create_task(publisher.send(ENVELOPE))
    ended: list[float] = []
    task.add_done_callback(lambda _: ended.append(loop.time()))
    loop.run(until=1000)
    return cluster, task.exception(), ended[0]


@pytest.mark.parametrize("since", [0.0, 4.9, 6.3, 9.0, 13.0])
def test_a_publish_outlasts_the_election_of_a_leader(identity: Identity, since: float) -> None:
    """Nothing is lost: also when the first round of the election, 4 to 9 s, has no winner."""
    cluster, error, at = publish(identity, since)
    assert error is None
    assert at <= since + 4
    assert len(cluster.ids) == 1


@pytest.mark.parametrize("silent", [False, True])
def test_a_publish_that_nothing_takes_ends(identity: Identity, silent: bool) -> None:
    """Nothing hangs: whether the server answers at once or never, in less than the grace time of an agent's end."""
    cluster, error, at = publish(identity, 1e9, silent=silent)
    assert isinstance(error, MeshUnavailable)
    assert 15 <= at < 19
    pauses = [later - earlier for earlier, later in zip(cluster.tries, cluster.tries[1:], strict=False)]
    assert max(pauses) <= (4 if not silent else 4 + 5)


class Full:
    """A server that refuses with the same words until there is room."""

    def __init__(self, loop: VirtualLoop, code: int, words: str, until: float) -> None:
        self._loop = loop
        self._refusal = ServiceUnavailableError(code=503, err_code=code, description=words)
        self._until = until

    async def publish(self, subject: str, body: bytes, *, timeout: float, headers: dict[str, str]) -> None:
        if self._loop.time() < self._until:
            raise self._refusal


@pytest.mark.parametrize(
    ("code", "words", "until", "kind"),
    [
        (10077, "maximum messages exceeded", 1.0, MeshBusy),
        (10077, "maximum messages per subject exceeded", 1.0, MeshBusy),
        (10077, "maximum bytes exceeded", 1.0, MeshBusy),
        (10077, "write /data/1.blk: no space left on device", 1e9, StoreFailed),
        (10077, "store is closed", 1e9, StoreFailed),
        (10077, "store is closed", 5.0, None),
        (10023, "insufficient resources", 1e9, StoreFailed),
        (10047, "insufficient storage resources available", 1e9, StoreFailed),
    ],
)
def test_a_full_queue_and_a_store_that_takes_nothing_are_told_apart(
    identity: Identity, code: int, words: str, until: float, kind: type[Exception] | None
) -> None:
    """Nothing is lost: who comes to a full queue comes again; what meets a full disk is kept, and no try of anybody."""
    loop = VirtualLoop()
    server = Full(loop, code, words, until)
    publisher = Publisher(cast("JetStreamContext", server), identity, max_body_bytes=1024)
    with loop.running():
        task = loop.create_task(publisher.send(ENVELOPE))
    loop.run(until=1000)
    error = task.exception()
    assert type(error) is kind if kind is not None else error is None
    assert "/data" not in str(error)
