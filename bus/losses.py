"""Whether the bus still knows a task: after its store was wiped it is as good as another bus, where nobody goes on."""

from datetime import datetime

import nats.errors
from nats.js import JetStreamContext

from hybridmesh.bus.errors import MeshUnavailable, PermanentError
from hybridmesh.bus.topology import AUDIT, RESULTS, subject_for
from hybridmesh.schemas.audits import AuditEvent


class Losses:
    """Looks for one who waits; the first look says which store it is that holds the task."""

    def __init__(self, js: JetStreamContext) -> None:
        self._js = js
        self._made: datetime | None = None

    async def check(self, task_id: str) -> None:
        """Return while the task may still end.

        Raises:
            PermanentError: the store is another one by now, and nobody took the task on there.
            MeshUnavailable: the bus does not answer.

        """
        try:
            made = (await self._js.stream_info(RESULTS.name)).created
            self._made = self._made or made
            if made == self._made:
                return
            # Who had a step in hand may still speak of it; only who took the task on sees it through.
            taken_on = subject_for(AuditEvent, f"decomposer.{task_id}")
            log = await self._js.stream_info(AUDIT.name, subjects_filter=taken_on)
        except (nats.errors.Error, TimeoutError) as error:
            raise MeshUnavailable(f"the store cannot be looked at: {type(error).__name__}") from error
        if not log.state.subjects:
            raise PermanentError("the bus lost what it had stored, this task too; submit it again", reason="store-lost")
