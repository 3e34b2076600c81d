"""The organisation's own terms, in the policy bucket: a hundred thousand of them in 256 records."""

import asyncio
import hashlib
import unicodedata
from collections.abc import Callable, Iterable

from hybridmesh.bus.errors import UsageError
from hybridmesh.bus.state import State
from hybridmesh.schemas.policies import TermShard

PREFIX = "terms."
KEYS = f"{PREFIX}>"
_LONGEST = 200
_AT_ONCE = 16  # records that are changed at the same time

Step = Callable[[set[str], set[str]], set[str]]


def read_term(text: str) -> str:
    """Return a term as it is kept: in NFC, without blanks around it.

    Raises:
        UsageError: it has fewer than two letters or digits, more than 200 characters, or several lines.

    """
    term = unicodedata.normalize("NFC", text).strip()
    if sum(map(str.isalnum, term)) < 2:  # noqa: PLR2004 - a letter alone stands in every text
        raise UsageError("a term needs two letters or digits", remedy="write a longer one")
    if len(term) > _LONGEST or any(unicodedata.category(char) in ("Cc", "Cs", "Zl", "Zp") for char in term):
        raise UsageError(
            "a term has more than 200 characters, or a control character", remedy="write it shorter, on one line"
        )
    return term


class Terms:
    """The list, as people change it; changes by several at once all hold."""

    def __init__(self, shards: State[TermShard]) -> None:
        self._shards = shards

    async def read(self) -> list[str]:
        """Return all terms, sorted."""
        keys = [key for key in await self._shards.keys() if key.startswith(PREFIX)]  # other policies are beside them
        found = [await self._shards.get(key) for key in keys]  # None for a mark of deletion
        return sorted(term for shard in found if shard for term in shard.terms)

    async def add(self, terms: Iterable[str]) -> int:
        """Add terms; return how many were not there."""
        return await self._change(terms, lambda there, given: there | given)

    async def remove(self, terms: Iterable[str]) -> int:
        """Take terms away; return how many were there."""
        return await self._change(terms, lambda there, given: there - given)

    async def _change(self, terms: Iterable[str], step: Step) -> int:
        parts: dict[str, set[str]] = {}
        for term in terms:
            parts.setdefault(_key(term), set()).add(term)
        room = asyncio.Semaphore(_AT_ONCE)

        async def change(key: str, part: set[str]) -> int:
            async with room:
                return await self._change_shard(key, part, step)

        return sum(await asyncio.gather(*(change(key, part) for key, part in parts.items())))

    async def _change_shard(self, key: str, part: set[str], step: Step) -> int:
        changed = 0

        def apply(shard: TermShard | None) -> TermShard | None:
            nonlocal changed
            before = set(shard.terms) if shard else set[str]()
            after = step(before, part)
            changed = len(before ^ after)
            return shard if not changed else TermShard(terms=tuple(sorted(after)))

        await self._shards.change(key, apply)
        return changed


def _key(term: str) -> str:
    return PREFIX + hashlib.sha256(term.encode()).hexdigest()[:2]
