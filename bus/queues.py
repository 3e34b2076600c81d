"""Which tasks the queues of an account hold messages of: by their subjects, unread."""

from dataclasses import dataclass

import nats.errors
from nats.js import JetStreamContext

from hybridmesh.bus.errors import MeshUnavailable
from hybridmesh.bus.topology import Account, Consumer, consumers

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
        for stream in dict.fromkeys(queue.stream for queue in _queues() if not self._is_own_timer(queue)):
            at_work |= await self._tasks(stream)
        for queue in filter(self._is_own_timer, _queues()):
            timed |= await self._tasks(queue.stream)
        return Queued(frozenset(at_work), frozenset(timed))

    async def asked(self) -> set[str]:
        """Return which tasks wait for a person, or for another agent's timer.

        Raises:
            MeshUnavailable: a queue cannot be read, or holds too much to be listed.

        """
        found: set[str] = set()
        for queue in _queues():
            if queue.timers and not self._is_own_timer(queue):
                found |= await self._tasks(queue.stream)
        return found

    def _is_own_timer(self, queue: Consumer) -> bool:
        return queue.timers and queue.agent == self._agent

    async def _tasks(self, stream: str) -> set[str]:
        try:
            info = await self._js.stream_info(stream, subjects_filter=">")
        except (nats.errors.Error, TimeoutError) as error:
            raise MeshUnavailable(f"queue cannot be read: {type(error).__name__}") from error
        subjects = info.state.subjects or {}
        if len(subjects) >= _LISTED_AT_MOST:
            raise MeshUnavailable("queue is too long to be listed")
        return {subject.rpartition(".")[2] for subject in subjects}


def _queues() -> list[Consumer]:
    return [consumer for consumer in consumers() if consumer.account is Account.LOCAL]
