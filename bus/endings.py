"""Which tasks are over: what is still under way for one of them is dropped, before anybody spends work on it."""

import nats.errors
from nats.js import JetStreamContext
from nats.js.errors import NotFoundError

from hybridmesh.bus.errors import MeshUnavailable
from hybridmesh.bus.topology import Account, end_subject


class Endings:
    """Reads the ends of tasks as far as an account sees them; an end is final, so what it says holds."""

    def __init__(self, js: JetStreamContext, account: Account = Account.LOCAL) -> None:
        self._js = js
        self._account = account

    async def over(self, task_id: str) -> bool:
        """Say whether the task has its end.

        Raises:
            MeshUnavailable: the bus does not answer.

        """
        try:
            stream, subject = end_subject(task_id, self._account)
            await self._js.get_last_msg(stream.name, subject, direct=True)
        except NotFoundError:
            return False
        except (nats.errors.Error, TimeoutError) as error:
            raise MeshUnavailable(f"ends cannot be read: {type(error).__name__}") from error
        return True
