"""What is known of a call, kept apart from the message that asked for it: no prompt is silently sent a second time."""

from collections.abc import Callable
from typing import Protocol

from hybridmesh.bus.errors import MeshUnavailable, PermanentError
from hybridmesh.schemas.audits import AuditEvent
from hybridmesh.schemas.consults import ConsultAdvised, ConsultRequested
from hybridmesh.schemas.message import Frozen


class CallRecord(Frozen):
    """A call that was begun: with what followed from its answer, or without, when nobody knows what came of it."""

    ended: AuditEvent | None = None
    advised: ConsultAdvised | None = None


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

    async def delete(self, key: str) -> None:
        """Remove the record of a call that surely was not answered."""
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
        mine = CallRecord()
        stands = await self._book.change(self._key, lambda found: found or mine)
        if stands is not mine:
            self.overtaken = stands
            raise PermanentError("another delivery has begun the call", reason="call-begun")
        self.begun = True

    async def take_back(self) -> None:
        """Say that the call was not made, or surely not answered: it may be made again."""
        if self.begun:
            await self._book.delete(self._key)
            self.begun = False

    async def keep(self, ended: AuditEvent, advised: ConsultAdvised) -> None:
        """Keep what followed, for a delivery after this one; without it that one says that it does not know."""
        try:
            await self._book.put(self._key, CallRecord(ended=ended, advised=advised))
        except MeshUnavailable:
            return
