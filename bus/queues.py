"""Which tasks the queues of an account hold messages of: by their subjects, unread."""

from dataclasses import dataclass

import nats.errors
from nats.js import JetStreamContext

from hybridmesh.bus.errors import MeshUnavailable
from hybridmesh.bus.topology import Account, consumers

_LISTED_AT_MOST = 100_000  # the server lists no more subjects of a stream at once


@dataclass(frozen=True, slots=True)
class Queued:
    """Ids of tasks: ``at_work`` have a message that somebody will go on with, ``timed`` have a timer of the asker's."""

    at_work: frozenset[str]
    timed: frozenset[str]


class Queues:
    """Looks into the queues of the account LOCAL for one agent."""

    def __init__(self, js: JetStreamContext, agent: str) -> None:
        self._js = js
        self._agent = agent

    async def survey(self) -> Queued:
        """Return whose messages are there.

        Raises:
            MeshUnavailable: a queue cannot be read, or holds too much to be listed.

        """
        at_work: set[str] = set()
        timed: set[str] = set()
        for consumer in consumers():
            if consumer.account is Account.LOCAL:
                own_timer = consumer.timers and consumer.agent == self._agent
                (timed if own_timer else at_work).update(await self._tasks(consumer.stream))
        return Queued(frozenset(at_work), frozenset(timed))

    async def _tasks(self, stream: str) -> set[str]:
        try:
            info = await self._js.stream_info(stream, subjects_filter=">")
        except (nats.errors.Error, TimeoutError) as error:
            raise MeshUnavailable(f"queue cannot be read: {type(error).__name__}") from error
        subjects = info.state.subjects or {}
        if len(subjects) >= _LISTED_AT_MOST:
            raise MeshUnavailable("queue is too long to be listed")
        return {subject.rpartition(".")[2] for subject in subjects}
