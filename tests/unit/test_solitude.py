"""Who is alone, and who waits for it."""

import asyncio

from hybridmesh.bus.solitude import Solitude


async def visit(room: Solitude, log: list[str], name: str, rank: int | None = None, seconds: float = 0.01) -> None:
    """Be there for a while: with others, or with a rank alone."""
    if rank is None:
        async with room:
            log.append(name)
            await asyncio.sleep(seconds)
            log.append(f"-{name}")
        return
    async with room.alone(rank):
        log.append(name)
        await asyncio.sleep(seconds)
        log.append(f"-{name}")


async def test_who_is_alone_meets_nobody_and_the_least_suspicious_goes_first() -> None:
    """Nothing is lost: those that were written down least often are done before what may end the process."""
    room, log = Solitude(60), list[str]()
    visits = [visit(room, log, "a"), visit(room, log, "b"), visit(room, log, "often", 2), visit(room, log, "never", 0)]
    await asyncio.gather(*visits, visit(room, log, "late"))
    assert log[:2] == ["a", "b"]
    assert set(log[2:4]) == {"-a", "-b"}
    assert log[4:] == ["never", "-never", "often", "-often", "late", "-late"]


async def test_who_is_alone_too_long_has_company_again() -> None:
    """Nothing hangs: a suspect that stands still keeps neither the others of its process waiting nor other suspects."""
    room, log = Solitude(0.05), list[str]()
    stuck = asyncio.create_task(visit(room, log, "stuck", 0, seconds=60))
    await asyncio.sleep(0.01)
    async with asyncio.timeout(1):
        await asyncio.gather(visit(room, log, "other"), visit(room, log, "suspect", 0))
    stuck.cancel()
    await asyncio.wait({stuck})
    assert (log[0], sorted(log)) == ("stuck", ["-other", "-suspect", "other", "stuck", "suspect"])
    async with room.alone() as by_itself:
        assert by_itself


async def test_who_waits_too_long_is_let_in_beside_what_stands_still() -> None:
    """Nothing hangs: one handler that never ends costs a place, and not the agent."""
    room, log = Solitude(0.05), list[str]()
    stuck = asyncio.create_task(visit(room, log, "stuck", seconds=60))
    await asyncio.sleep(0)
    async with asyncio.timeout(1), room.alone() as by_itself:
        assert not by_itself
        await visit(room, log, "other")
    stuck.cancel()
    await asyncio.wait({stuck})
    assert log == ["stuck", "other", "-other"]


async def test_who_gives_up_waiting_holds_nobody_up() -> None:
    """Nothing hangs: a cancelled suspect leaves no place behind, inside or in the row."""
    room, log = Solitude(60), list[str]()
    first = asyncio.create_task(visit(room, log, "first", seconds=0.1))
    await asyncio.sleep(0)
    waiting = [asyncio.create_task(visit(room, log, name, 0, seconds=60)) for name in ("waits", "inside")]
    await asyncio.sleep(0)
    waiting[0].cancel()
    await first
    await asyncio.sleep(0.01)
    waiting[1].cancel()
    await asyncio.wait(waiting)
    await asyncio.wait_for(visit(room, log, "last"), 1)
    assert log == ["first", "-first", "inside", "last", "-last"]
