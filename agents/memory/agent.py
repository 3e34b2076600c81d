"""The memory agent: answers the mesh's requests to the private store, and makes lessons of feedback."""

from collections.abc import Callable, Sequence
from uuid import uuid4

from hybridmesh.agents.memory import events
from hybridmesh.agents.memory.lessons import make_lesson
from hybridmesh.agents.memory.library import Library
from hybridmesh.agents.memory.scoped import ScopedMemory
from hybridmesh.bus.agent import ASKER, Agent, AuditLog, Clock, Service
from hybridmesh.bus.sweeping import HOUR_S, keep_swept
from hybridmesh.bus.topology import Ask
from hybridmesh.schemas.feedback import FeedbackGiven
from hybridmesh.schemas.memory import Forget, ForgetReceipt, Kind, Lookup, Rank, Remember, Scope, Search
from hybridmesh.schemas.message import Message


class MemoryAgent:
    """Owns the private store; nobody else opens it.

    Consumes FeedbackGiven; publishes AuditEvent; answers remember, search, lookup, rank and forget within its tenant's
    scope. Needs the library over whichever store the settings name. ``hashed`` is for ids in the audit log;
    ``sweep_s`` is the pause between two sweeps.
    """

    def __init__(
        self,
        library: Library,
        scope: Scope,
        clock: Clock,
        log: AuditLog,
        hashed: Callable[[str], str],
        *,
        sweep_s: float = HOUR_S,
    ) -> None:
        self._library, self._scope = library, scope
        self._memory = ScopedMemory(library, scope)
        self._clock, self._log, self._hashed = clock, log, hashed
        self._sweep_s = sweep_s

    def agent(self) -> Agent:
        """Return the wired agent."""
        return Agent(
            "memory",
            handlers={FeedbackGiven: self.learn},
            services=(
                Service(Ask.REMEMBER, Remember, self._memory.remember),
                Service(Ask.SEARCH, Search, self._memory.search),
                Service(Ask.LOOKUP, Lookup, self._memory.lookup),
                Service(Ask.RANK, Rank, self._memory.rank),
                Service(Ask.FORGET, Forget, self.forget),
            ),
            watches=(self.sweep,),
            close=self._library.close,
        )

    async def learn(self, feedback: FeedbackGiven) -> Sequence[Message]:
        """Keep a correction as a lesson for the next task of its kind."""
        lesson = make_lesson(feedback)
        if lesson is None:
            return ()
        outcome = (await self._memory.remember(Remember(items=(lesson,)))).results[0]
        known = await self._memory.lookup(Lookup(kind=Kind.LESSON, key=lesson.key or ""))
        return (events.learned(feedback, outcome, len(known.hits), self._clock()),)

    async def sweep(self) -> None:
        """Remove what has expired, for as long as the agent lives."""
        await keep_swept("memory", self._library.sweep, self._sweep_s)

    async def forget(self, request: Forget) -> ForgetReceipt:
        """Remove without a trace, but in the log: no log, no forgetting, and no receipt before the log has its end."""
        ids = await self._library.doomed(self._scope, request)
        told = events.Forgetting(request, ids, self._hashed, uuid4().hex, ASKER.get())
        if ids:
            await self._log.record(told.begun(self._clock()))
        receipt = await self._library.erase(ids)
        await self._log.record(told.done(receipt))
        return receipt
