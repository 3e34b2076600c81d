"""What is known of a call, kept apart from the message that asked for it: no prompt is silently sent a second time."""

from collections.abc import Callable
from typing import Protocol

from hybridmesh.bus.errors import MeshUnavailable, PermanentError
from hybridmesh.schemas.audits import AuditEvent
from hybridmesh.schemas.consults import ConsultAdvised, ConsultRefused, ConsultRequested
from hybridmesh.schemas.message import Frozen


class CallRecord(Frozen):
    """A call that was begun: with what followed from it, or without, when nobody knows what came of it.

    One that was refused for good before it was made stands here as well: it is not made any more.
    """

    ended: AuditEvent | None = None
    advised: ConsultAdvised | None = None
    refused: ConsultRefused | None = None


class CallBook(Protocol):
    """The records of all replicas; see ``bus.state.State``. Every call raises MeshUnavailable when the bus is away."""

    async def get(self, key: str) -> CallRecord | None:
        """Return the record of a call, or None when none was begun."""
        ...

    async def put(self, key: str, record: CallRecord) -> None:
        """Write a record."""
        ...

    async def change(self, key: str, step: Callable[[CallRecord | None], CallRecord | None]) -> CallRecord | None:
        """Replace a record by compare-and-swap, and return what stands."""
        ...

    async def discard(self, key: str, outdated: Callable[[CallRecord], bool]) -> bool:
        """Remove a record if ``outdated`` says so and nobody has changed it since."""
        ...


class Calls:
    """The calls for one message."""

    def __init__(self, book: CallBook, message: ConsultRequested) -> None:
        self._book = book
        self._key = message.identity().replace("/", ".")
        self.begun = False
        self.overtaken: CallRecord | None = None  # what another delivery has noted

    async def found(self) -> CallRecord | None:
        """Return what an earlier delivery of the message left behind."""
        return await self._book.get(self._key)

    async def begin(self) -> None:
        """Note that the next thing may be the call: whoever finds the note alone cannot know whether it was made.

        Raises:
            PermanentError: another delivery has noted it meanwhile (``call-begun``), as this process stood still.

        """
        if self.begun:
            return  # and the gate, which lets one body pass, says what is wrong
        mine = CallRecord()
        stands = await self._book.change(self._key, lambda found: found or mine)
        if stands is not mine:
            self.overtaken = stands
            raise PermanentError("another delivery has begun the call", reason="call-begun")
        self.begun = True

    async def take_back(self) -> None:
        """Say that the call was not made, or surely not answered: it may be made again."""
        if self.begun:
            await self._book.discard(self._key, _is_open)
            self.begun = False

    async def close(self, ended: AuditEvent, refused: ConsultRefused) -> CallRecord:
        """Refuse for good a call that was not made, or surely not answered, and return what stands.

        That is another record where a delivery was quicker. A refusal that is told before it stands here could be
        overtaken by a delivery that makes the call after all, and by a bill that nobody books.
        """
        mine = CallRecord(ended=ended, refused=refused)

        def refuse(found: CallRecord | None) -> CallRecord:
            return mine if found is None or (self.begun and _is_open(found)) else found

        return await self._book.change(self._key, refuse) or mine

    async def keep(self, record: CallRecord) -> None:
        """Keep what followed, for a delivery after this one; without it that one says that it does not know."""
        try:
            await self._book.put(self._key, record)
        except MeshUnavailable:
            return


def _is_open(record: CallRecord) -> bool:
    return record == CallRecord()
