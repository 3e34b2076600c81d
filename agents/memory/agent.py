"""The memory agent: answers the mesh's requests to the private store, and makes lessons of feedback."""

from collections.abc import Sequence

from hybridmesh.agents.memory.lessons import make_lesson
from hybridmesh.agents.memory.library import Library
from hybridmesh.agents.memory.scoped import ScopedMemory
from hybridmesh.bus.agent import Agent, Clock, Service
from hybridmesh.bus.sweeping import HOUR_S, keep_swept
from hybridmesh.bus.topology import Ask
from hybridmesh.schemas.audits import Action, AuditEvent
from hybridmesh.schemas.feedback import FeedbackGiven
from hybridmesh.schemas.memory import Forget, ForgetReceipt, Kind, Lookup, Rank, Remember, Scope, Search
from hybridmesh.schemas.message import Message


class MemoryAgent:
    """Owns the private store; nobody else opens it.

    Consumes FeedbackGiven; publishes AuditEvent; answers remember, search, lookup, rank and forget within its tenant's
    scope. Needs the library over whichever store the settings name. ``sweep_s`` is the pause between two sweeps.
    """

    def __init__(self, library: Library, scope: Scope, clock: Clock, *, sweep_s: float = HOUR_S) -> None:
        self._library = library
        self._memory = ScopedMemory(library, scope)
        self._clock = clock
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
        return (
            AuditEvent(
                agent="memory",
                action=Action.LESSON_LEARNED,
                at=self._clock(),
                task_id=feedback.task_id,
                step_id=feedback.step_id,
                nonce=str(feedback.number),
                facts={"outcome": outcome.outcome, "lesson": outcome.id, "lessons_of_its_kind": len(known.hits)},
            ),
        )

    async def sweep(self) -> None:
        """Remove what has expired, for as long as the agent lives."""
        await keep_swept("memory", self._library.sweep, self._sweep_s)

    async def forget(self, request: Forget) -> ForgetReceipt:
        """Remove without a trace and return the receipt."""
        return await self._memory.forget(request)
