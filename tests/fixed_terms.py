"""Terms that need no bus, for tests of what has nothing to do with them."""

import asyncio


class FixedTerms:
    """A policy that is always current."""

    async def check(self) -> None:
        """Say yes."""

    async def keep(self) -> None:
        """Do nothing, for as long as the agent lives."""
        await asyncio.Event().wait()
