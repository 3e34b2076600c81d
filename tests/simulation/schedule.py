"""One schedule: the mesh, people and faults of a seed, run until nothing is left to do, and what came of it."""

import asyncio
import itertools
import logging
import os
import random
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial

from hybridmesh.bus.errors import MeshBusy, MeshError
from hybridmesh.bus.topology import ENDED, RESULTS, Bucket, bucket_stream, streams, timer_stream
from hybridmesh.schemas.approvals import ApprovalGiven, ApprovalRequested
from hybridmesh.schemas.message import Message
from hybridmesh.schemas.tasks import CancelTask
from simulation.bus import Wire
from simulation.crew import ROLES, Place, Replica, Surroundings
from simulation.doubles import Outside, Sent, SimulatedCloud, identities
from simulation.faults import draw
from simulation.memory_of_texts import remember_texts
from simulation.streams import Server, Stored, StreamState
from simulation.tasks import Errand, draw_errands, draw_settings
from simulation.virtual_time import OUTSIDE, START, Process, VirtualLoop

_SETTLED_S = 9_000.0  # by then the longest timers of a schedule have run out, also where two clocks are hours apart
_BETWEEN_LOOKS_S, _LOOKS = 300.0, 20
_VANISHING = 16  # in one schedule of so many, stored messages may vanish
_REAL_SIGNATURES = 64  # one schedule of so many is signed by Ed25519
_STREAMS = tuple(stream.name for stream in streams())
_ASKED = timer_stream("router")


@dataclass(slots=True)
class Outcome:
    """What a schedule left behind; ``history`` is every message that was ever stored, in order.

    ``vanishing`` says that some of them may have been lost again.
    """

    seed: int
    server: Server
    errands: list[Errand]
    refused: set[str]  # tasks that a full queue did not take
    sent: list[Sent]
    history: list[tuple[str, Stored]]
    faults: list[str]
    rested: bool
    vanishing: bool
    trace: list[str] = field(default_factory=list[str])


class Schedule:
    """The world of one seed."""

    def __init__(self, seed: int, *, vanishing: bool, traced: bool) -> None:
        self._seed = seed
        self._rng = rng = random.Random(seed)
        self._loop = loop = VirtualLoop()
        self._trace: list[str] = []
        self._traced = traced
        self._vanishing = vanishing
        self._settings = draw_settings(rng)
        self._faults = faults = draw(rng, _STREAMS, vanishing=vanishing)
        self._history: list[tuple[str, Stored]] = []
        self._refused: set[str] = set()
        self._server = Server(loop.time, self._later, faults.choose, ack_wait_s=self._settings.bus.ack_wait_s)
        self._server.on_stored.append(self._note)
        wire = Wire(
            loop, rng, faults, self._server,
            die=self._die, stand_still=self._stand_still, tell=self._tell if traced else None,
        )  # fmt: skip
        outside = Outside(loop, faults)
        self._cloud = SimulatedCloud(outside)
        keys, ring = identities(real=seed % _REAL_SIGNATURES == 0)
        self._around = Surroundings(loop, wire, outside, self._cloud, self._settings, keys, ring)
        self._errands = draw_errands(rng, START)
        self._replicas: list[Replica] = []
        self._dead: list[Process] = []
        self._people = Place(self._around, Process("people", mortal=False), "publisher")

    def run(self) -> Outcome:
        """Run it to its end."""
        with _seeded(self._rng):
            with self._loop.running():
                for role in ROLES:
                    for number in range(self._rng.choice((1, 1, 2))):
                        self._replicas.append(Replica(role, number, self._around))
                self._plan()
            self._loop.run(_SETTLED_S)
            if not (self._loop.resting and self._all_over()):
                self._reconcile()
            rested = self._loop.resting
            self._faults.horizon_s = 0.0
            self._loop.end(self._dead)
        return Outcome(
            self._seed, self._server, self._errands, self._refused, self._cloud.sent, self._history,
            self._loop.faults, rested, self._vanishing, self._trace,
        )  # fmt: skip

    def _all_over(self) -> bool:
        """Say whether each task that was begun has its end."""
        begun = {stored.subject.rsplit(".", 1)[1] for stored in self._server.messages(bucket_stream(Bucket.TASKS))}
        ended = {stored.subject.rsplit(".", 1)[1] for name, stored in self._history if name == RESULTS.name}
        return begun <= ended

    def _reconcile(self) -> None:
        """Let the agents' watches run until nothing is left for them, and all the rest come to its end."""
        watching: dict[Process, list[asyncio.Task[None]]] = {}
        for _ in range(_LOOKS):
            with self._loop.running():
                for replica in self._decomposers():  # of which some may be new, in the place of one that died
                    if replica.process not in watching:
                        watching[replica.process] = replica.watch()
            self._loop.run(self._loop.time() + _BETWEEN_LOOKS_S)
            if self._all_over():
                break
        with self._loop.running():
            for watch in itertools.chain(*watching.values()):
                watch.cancel()
        self._loop.run(self._loop.time() + _SETTLED_S)

    def _decomposers(self) -> list[Replica]:
        return [replica for replica in self._replicas if replica.role == "decomposer"]

    def _glance(self, at: float) -> None:
        """Have the watches look once while everything goes on."""

        def begin() -> None:
            for watch in self._decomposers()[0].watch():
                self._later(self._loop.time() + 1.0, watch.cancel)

        self._later(at, begin)

    def _plan(self) -> None:
        for errand in self._errands:
            self._do_at(errand.at, errand.task)
            for at in errand.again:
                self._do_at(at, errand.task)
            if errand.cancelled is not None:
                self._do_at(errand.cancelled, CancelTask(task_id=errand.task.task_id))
        if self._rng.random() < 0.1:
            self._glance(self._rng.uniform(0, 5))
        for at, skew_s in self._faults.skews:
            self._later(at, partial(self._skew, skew_s))
        for outage in self._faults.full:
            self._later(outage.start, partial(self._limit, outage.stream, self._rng.choice((0, 1))))
            self._later(outage.end, partial(self._limit, outage.stream, None))

    def _do_at(self, at: float, message: Message) -> None:
        self._later(at, lambda: self._do(message))

    def _do(self, message: Message) -> None:
        self._loop.create_task(self._publish(message), context=self._people.process.context)

    async def _publish(self, message: Message) -> None:
        """Publish what a person said; as the client's outbox does, until the bus has it or refuses it."""
        while True:
            try:
                await self._people.publisher.publish(message)
            except MeshBusy:
                self._refused.add(message.identity())
                return
            except MeshError:
                await asyncio.sleep(self._rng.choice((1.0, 60.0, 700.0)))
            else:
                return

    def _note(self, stream: StreamState, stored: Stored) -> None:
        """Keep what was stored; a question is answered, or not, and a message may vanish."""
        self._history.append((stream.name, stored))
        if stream.name == ENDED.name:
            self._around.wire.tell_all(stored)
        if stream.name == _ASKED and stored.body and self._rng.random() < 0.7:
            asked = ApprovalRequested.model_validate_json(stored.body)
            given = ApprovalGiven(
                task_id=asked.task_id,
                step_id=asked.step_id,
                attempt=asked.attempt,
                purpose=asked.purpose,
                approved=self._rng.random() < 0.7,
                by="person",
            )
            self._do_at(self._loop.time() + self._rng.random() * 25, given)
        if stream.work and self._faults.vanishes(self._loop.time()):
            self._tell("disk", "loses", stored.headers.get("ce-id", stored.subject))
            self._later(self._loop.time(), lambda: self._server.vanish(stream.name, stored.seq))

    def _die(self, process: Process) -> None:
        """Kill a process; another one takes its place."""
        replica = self._replica_of(process)
        if replica is None or process.gone:
            return
        process.frozen = process.gone = True
        self._dead.append(process)
        if self._rng.random() < 0.8:
            for pull in process.pulls:
                pull.open = False
        self._later(self._loop.time() + self._faults.pause_s() * 0.2, replica.restart)

    def _stand_still(self, process: Process) -> None:
        if self._replica_of(process) is None or process.gone:
            return
        process.frozen = True
        self._later(self._loop.time() + self._faults.pause_s(), lambda: self._wake(process))

    def _wake(self, process: Process) -> None:
        if not process.gone:
            self._tell(process.name, "goes on", "")
            self._loop.thaw(process)

    def _replica_of(self, process: Process) -> Replica | None:
        return next((replica for replica in self._replicas if replica.process is process), None)

    def _skew(self, skew_s: float) -> None:
        replica = self._rng.choice(self._replicas)
        replica.process.skew_s = skew_s
        self._tell(replica.name, f"has a clock that is {skew_s:+.0f} s wrong", "")

    def _limit(self, stream: str | None, limit: int | None) -> None:
        if stream is not None:
            self._server.streams[stream].limit = limit
            self._tell("server", "is full" if limit is not None else "has room again", stream)

    def _later(self, when: float, do: Callable[[], object]) -> None:
        self._loop.call_at(when, do, context=OUTSIDE)

    def _tell(self, who: str, what: str, about: str) -> None:
        if self._traced:
            self._trace.append(f"{self._loop.time():10.3f}  {who:<16} {what:<24} {about}")


@contextmanager
def _seeded(rng: random.Random) -> Generator[None]:
    """Make all that is random in the program itself the seed's: jitter, and keys, which are the same for all seeds.

    What stands for a value is then the same in every schedule too, and the texts are few: see ``memory_of_texts``.
    """
    before, quiet = os.urandom, logging.root.manager.disable
    random.seed(rng.getrandbits(64))
    os.urandom = bytes
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        os.urandom = before
        logging.disable(quiet)


remember_texts()


def run(seed: int, *, vanishing: bool = False, traced: bool = False) -> Outcome:
    """Run the schedule of a seed; stored messages vanish in some of them, or in all."""
    return Schedule(seed, vanishing=vanishing or seed % _VANISHING == 1, traced=traced).run()
