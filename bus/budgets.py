"""What a task's cloud calls may cost and have cost: reserved before a call, settled after it.

One record a task, changed by compare-and-swap; an entry's key is one attempt of one step, so that a handler
that runs twice reserves and pays once.
"""

from decimal import Decimal

from hybridmesh.bus.state import State
from hybridmesh.schemas.message import Frozen, StepMessage

ZERO = Decimal(0)


class Entry(Frozen):
    """One call: what was set aside, and what it came to (None while it is open; zero when it was not made)."""

    reserved: Decimal
    settled: Decimal | None = None

    @property
    def counts(self) -> Decimal:
        """What the entry takes from the budget."""
        return self.reserved if self.settled is None else self.settled


class Spending(Frozen):
    """All calls of a task, by ``step/attempt``."""

    entries: dict[str, Entry] = {}

    def taken(self, except_key: str = "") -> Decimal:
        """Return what is spent or set aside, without the entry of ``except_key``."""
        return sum((entry.counts for key, entry in self.entries.items() if key != except_key), ZERO)

    def with_entry(self, key: str, entry: Entry) -> "Spending":
        """Return the record with one entry replaced."""
        return Spending(entries={**self.entries, key: entry})


def spend_key(message: StepMessage) -> str:
    """Return the entry's key for this attempt of the step."""
    return f"{message.step_id}/{message.attempt}"


def reserve(spending: Spending | None, key: str, amount: Decimal, limit: Decimal) -> Spending | None:
    """Set ``amount`` aside; the same record if that was done before, None if it would go over ``limit``."""
    before = spending or Spending()
    if key in before.entries:
        return before
    if before.taken() + amount > limit:
        return None
    return before.with_entry(key, Entry(reserved=amount))


def settle(spending: Spending | None, key: str, actual: Decimal | None) -> Spending:
    """Book what a call came to; an unknown price counts as what was reserved, the first settlement stands.

    A call that was given up for lost (settled at zero) and came back after all is booked, since it was paid.
    """
    before = spending or Spending()
    entry = before.entries.get(key, Entry(reserved=ZERO))
    if entry.settled:
        return before
    return before.with_entry(key, entry.model_copy(update={"settled": entry.reserved if actual is None else actual}))


def release(spending: Spending | None, key: str) -> Spending | None:
    """Give back what a call that was not made had set aside; what is settled stays settled."""
    entry = spending.entries.get(key) if spending else None
    if spending is None or entry is None or entry.settled is not None:
        return spending
    return spending.with_entry(key, entry.model_copy(update={"settled": ZERO}))


class Budgets:
    """The ledger of all tasks, in bucket BUDGETS; every call raises MeshUnavailable when the bus is away."""

    def __init__(self, records: State[Spending]) -> None:
        self._records = records

    async def reserve(self, task_id: str, key: str, amount: Decimal, limit: Decimal) -> bool:
        """Set ``amount`` USD aside and return True, or return False when the task's ``limit`` does not allow it."""
        return await self._records.change(task_id, lambda found: reserve(found, key, amount, limit)) is not None

    async def settle(self, task_id: str, key: str, actual: Decimal | None) -> None:
        """Book what the call really came to, also when that is over the limit: it has been spent."""
        await self._records.change(task_id, lambda found: settle(found, key, actual))

    async def release(self, task_id: str, key: str) -> None:
        """Give the reservation back: the call was not made."""
        await self._records.change(task_id, lambda found: release(found, key))

    async def came_to(self, task_id: str, key: str) -> Decimal | None:
        """Return what a call came to: zero when it was not made, None when it is open or nothing was reserved."""
        found = await self._records.get(task_id) or Spending()
        return found.entries[key].settled if key in found.entries else None

    async def left(self, task_id: str, limit: Decimal, except_key: str = "") -> Decimal:
        """Return what may still be spent; ``except_key`` leaves out the asker's own reservation."""
        found = await self._records.get(task_id) or Spending()
        return max(ZERO, limit - found.taken(except_key))

    async def spent_on(self, task_id: str, step_id: str) -> Decimal:
        """Return what all settled calls of one step have cost."""
        found = await self._records.get(task_id) or Spending()
        return sum(
            (entry.settled or ZERO for key, entry in found.entries.items() if key.split("/")[0] == step_id),
            ZERO,
        )
