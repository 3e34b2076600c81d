"""What is changed by compare-and-swap while others write: nothing is built on a record that is not there any more."""

from collections.abc import Awaitable, Callable

import pytest

from harness import Bus
from hybridmesh.bus.budgets import Entry, Spending
from hybridmesh.bus.errors import TransientError
from hybridmesh.bus.state import State
from hybridmesh.bus.topology import Bucket, bucket_subject

_KEY = "0192f0c1-7a5e-7cc3-98f2-3b1d6f0a4e11"


class Overtaken(State[Spending]):
    """Records of which another writer changes one between each read and what follows, ``times`` in all."""

    meanwhile: Callable[[], Awaitable[object]]
    times = 1

    async def _read(self, key: str) -> tuple[Spending, int] | None:
        found = await super()._read(key)
        if self.times:
            self.times -= 1
            await self.meanwhile()
        return found


def spent(*amounts: int) -> Spending:
    """Return a ledger with these calls."""
    return Spending.model_validate({"entries": {f"a/{number}": {"reserved": number} for number in amounts}})


def add_nine(found: Spending | None) -> Spending:
    """Reserve one more call."""
    return (found or Spending()).with_entry("a/9", Entry.model_validate({"reserved": 9}))


@pytest.fixture
async def others(bus: Bus) -> State[Spending]:
    """The ledger as another writer has it, with a record."""
    records = bus.state(Bucket.BUDGETS, Spending)
    await records.put(_KEY, spent(1))
    return records


@pytest.fixture
def mine(bus: Bus) -> Overtaken:
    """The ledger as the one who is overtaken has it."""
    return Overtaken(bus.js, Bucket.BUDGETS, Spending)


async def _removed_and_made_again(bus: Bus, others: State[Spending]) -> None:
    await others.delete(_KEY)
    await others.put(_KEY, spent(2))


async def _removed(_: Bus, others: State[Spending]) -> None:
    await others.delete(_KEY)


async def _purged(bus: Bus, _: State[Spending]) -> None:
    headers = {"KV-Operation": "PURGE", "Nats-Rollup": "sub"}
    await bus.js.publish(bucket_subject(Bucket.BUDGETS, _KEY), headers=headers)


async def _turned_back(_: Bus, others: State[Spending]) -> None:
    await others.put(_KEY, spent(3))
    await others.put(_KEY, spent(1))


@pytest.mark.parametrize(
    ("meanwhile", "left"),
    [
        (_removed_and_made_again, spent(2, 9)),
        (_removed, spent(9)),
        (_purged, spent(9)),
        (_turned_back, spent(1, 9)),
    ],
)
async def test_a_change_starts_anew_from_what_stands(
    bus: Bus,
    others: State[Spending],
    mine: Overtaken,
    meanwhile: Callable[[Bus, State[Spending]], Awaitable[None]],
    left: Spending,
) -> None:
    """Nothing is done twice: a record that was removed, purged, made again or turned back is another revision."""
    mine.meanwhile = lambda: meanwhile(bus, others)
    assert await mine.change(_KEY, add_nine) == left
    assert await others.get(_KEY) == left


@pytest.mark.parametrize("marked", [_removed, _purged])
async def test_a_record_that_two_make_where_one_was_removed_is_made_once(
    bus: Bus, others: State[Spending], mine: Overtaken, marked: Callable[[Bus, State[Spending]], Awaitable[None]]
) -> None:
    """Nothing is done twice: a mark of deletion is a revision like any other to who makes the record anew."""
    await marked(bus, others)
    mine.meanwhile = lambda: others.change(_KEY, lambda _: spent(4))
    assert await mine.change(_KEY, add_nine) == spent(4, 9)


async def test_what_was_made_again_is_not_discarded_for_what_it_was_before(
    bus: Bus, others: State[Spending], mine: Overtaken
) -> None:
    """Nothing is lost: who saw an outdated record removes that one, and no other under its key."""
    mine.meanwhile = lambda: _removed_and_made_again(bus, others)
    assert not await mine.discard(_KEY, lambda _: True)
    assert await others.get(_KEY) == spent(2)


async def test_who_is_overtaken_every_time_gives_up_and_has_written_nothing(
    others: State[Spending], mine: Overtaken
) -> None:
    """Nothing is done twice: the message comes again; a change that was not made is not said to be."""
    mine.times = 100
    mine.meanwhile = lambda: others.put(_KEY, spent(5))
    with pytest.raises(TransientError, match="too many writers"):
        await mine.change(_KEY, add_nine)
    assert await others.get(_KEY) == spent(5)
