"""Terms that need no bus, for tests of what has nothing to do with them."""

import asyncio

POLICY_VERSION = 3


class FixedTerms:
    """A policy that is always current."""

    async def check(self) -> int:
        """Return its version."""
        return POLICY_VERSION

    async def keep(self) -> None:
        """Do nothing, for as long as the agent lives."""
        await asyncio.Event().wait()
