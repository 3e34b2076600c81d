"""A room for many at once, or for one alone: whoever waits to be alone lets nobody new in."""

import asyncio
import contextlib
import itertools
from collections.abc import AsyncGenerator


class Solitude:
    """Costs nothing where nobody wants to be alone; of several who do the lowest rank is first, then who came first.

    Whoever is alone for longer than ``longest_s`` has company after all, and who waits for so long while nobody leaves
    goes in beside the others: what stands still must not keep everybody waiting.
    """

    def __init__(self, longest_s: float) -> None:
        self._longest_s, self._inside = longest_s, 0
        self._tickets: list[tuple[int, int]] = []  # of who waits to be alone, and of who is
        self._alone: tuple[int, int] | None = None
        self._overdue: set[tuple[int, int]] = set()
        self._numbers = itertools.count()
        self._changed = asyncio.Event()

    async def __aenter__(self) -> None:
        """Be here with others."""
        while self._alone is not None or (self._tickets and not self._overdue):
            await self._changed.wait()
        self._inside += 1

    async def __aexit__(self, *_: object) -> None:
        """Be here no more."""
        self._leave()

    @contextlib.asynccontextmanager
    async def alone(self, rank: int = 0) -> AsyncGenerator[bool]:
        """Be here with nobody else; yields False where that was waited for too long, and others are here."""
        ticket = (rank, next(self._numbers))
        self._tickets.append(ticket)
        opening: asyncio.TimerHandle | None = None
        try:
            if await self._is_free_for(ticket):
                self._alone = ticket
                opening = asyncio.get_running_loop().call_later(self._longest_s, self._let_in, ticket)
            else:
                self._join(ticket)
            yield opening is not None
        finally:
            if opening is not None:
                opening.cancel()
            self._join(ticket)
            self._overdue.discard(ticket)
            self._leave()

    async def _is_free_for(self, ticket: tuple[int, int]) -> bool:
        """Wait for one's turn to be alone; say no where what is here stands still, and so may never leave."""
        while self._inside or self._alone is not None or min(self._tickets) != ticket:
            if self._overdue:
                return False
            try:
                async with asyncio.timeout(self._longest_s):
                    await self._changed.wait()
            except TimeoutError:
                if self._alone is None:
                    return False
        return True

    def _leave(self) -> None:
        self._inside -= 1
        if self._tickets:
            self._wake()

    def _let_in(self, ticket: tuple[int, int]) -> None:
        self._overdue.add(ticket)
        self._join(ticket)

    def _join(self, ticket: tuple[int, int]) -> None:
        """Make who is alone, or waits to be, one of several."""
        if ticket in self._tickets:
            self._alone = None if self._alone == ticket else self._alone
            self._tickets.remove(ticket)
            self._inside += 1
            self._wake()

    def _wake(self) -> None:
        """Have everybody who waits look again."""
        self._changed.set()
        self._changed.clear()
