"""Which tasks are over: what is still under way for one of them is dropped, before anybody spends work on it."""

import nats.errors
from nats.js import JetStreamContext
from nats.js.errors import NotFoundError

from hybridmesh.bus.errors import MeshUnavailable
from hybridmesh.bus.topology import RESULTS, end_subject


class Endings:
    """Reads the ends of tasks from the stream of results; an end is final, so what it says holds."""

    def __init__(self, js: JetStreamContext) -> None:
        self._js = js

    async def over(self, task_id: str) -> bool:
        """Say whether the task has its end.

        Raises:
            MeshUnavailable: the bus does not answer.

        """
        try:
            await self._js.get_last_msg(RESULTS.name, end_subject(task_id), direct=True)
        except NotFoundError:
            return False
        except (nats.errors.Error, TimeoutError) as error:
            raise MeshUnavailable(f"ends cannot be read: {type(error).__name__}") from error
        return True
