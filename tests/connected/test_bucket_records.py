"""Shared state on a real bucket: every record is listed, also while others write."""

import asyncio

import pytest

from harness import Bus
from hybridmesh.bus.state import State
from hybridmesh.bus.topology import Bucket
from hybridmesh.schemas.message import Frozen

pytestmark = pytest.mark.connected


class Note(Frozen):
    """A record of these tests."""

    number: int = 0


async def test_a_record_that_is_written_again_while_it_is_listed_is_in_the_list(bus: Bus) -> None:
    """Nothing is hidden: no replica is missing from the list because it says at this moment that it is there."""
    notes = bus.state(Bucket.PARKED, Note)
    names = [f"note.{number}" for number in range(9)]
    for name in names:
        await notes.put(name, Note())
    done = asyncio.Event()

    async def write_on(name: str) -> int:
        number = 0
        while not done.is_set():
            number += 1
            await notes.put(name, Note(number=number))
        return number

    writers = [asyncio.create_task(write_on(name)) for name in names[:4]]
    listed = [list(await notes.records()) for _ in range(40)]
    done.set()
    written = await asyncio.gather(*writers)
    assert all(found == names for found in listed)
    assert all(count > len(listed) for count in written), "the writers were too slow to matter"


async def test_a_removed_record_is_not_listed(bus: Bus) -> None:
    """Nothing private leaves: the mark that a record leaves behind is not taken for a record."""
    notes: State[Note] = bus.state(Bucket.PARKED, Note)
    assert await notes.records() == {}
    await notes.put("gone", Note())
    await notes.put("kept", Note(number=1))
    await notes.delete("gone")
    assert await notes.records() == {"kept": Note(number=1)}
