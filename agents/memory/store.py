"""What the memory needs of a vector store: the port, and the rows that cross it.

Standard library only, because the engine's child process imports it too. A row carries its item as a JSON
string, byte for byte, and beside it only the fields that the store must filter by.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias, cast

Json: TypeAlias = "dict[str, Json] | list[Json] | str | int | float | bool | None"

SPARSE_NAME = "bm25"
KEYWORD_FIELDS = ("kind", "key", "subject", "sources", "derived_from", "superseded_by")
FLOAT_FIELDS = ("created_at", "expires_at")
TENANT_FIELD = "tenant"

RRF_K = 2
"""Rank fusion constant: 2 found more than the textbook's 60 on LoCoMo and SciFact, for every pair of rankings."""


@dataclass(frozen=True, slots=True)
class Sparse:
    """A sparse vector; empty where a text has no word that counts."""

    indices: tuple[int, ...] = ()
    values: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Entry:
    """One row without its vectors; times are seconds since the epoch, ``item`` is the item's JSON."""

    id: str
    tenant: str
    kind: str
    item: str
    created_at: float
    key: str | None = None
    subject: str | None = None
    sources: tuple[str, ...] = ()
    derived_from: tuple[str, ...] = ()
    expires_at: float | None = None
    superseded_by: str | None = None

    def payload(self) -> dict[str, Json]:
        """Return the fields to store; absent ones are left out, so that "is empty" finds them."""
        fields: dict[str, Json] = {
            "tenant": self.tenant,
            "kind": self.kind,
            "item": self.item,
            "created_at": self.created_at,
            "key": self.key,
            "subject": self.subject,
            "sources": list(self.sources),
            "derived_from": list(self.derived_from),
            "expires_at": self.expires_at,
            "superseded_by": self.superseded_by,
        }
        return {name: value for name, value in fields.items() if value not in (None, [])}

    @classmethod
    def from_payload(cls, entry_id: str, payload: Mapping[str, Json]) -> "Entry":
        """Read back what :meth:`payload` wrote."""
        expires_at = payload.get("expires_at")
        return cls(
            id=entry_id,
            tenant=cast("str", payload["tenant"]),
            kind=cast("str", payload["kind"]),
            item=cast("str", payload["item"]),
            created_at=float(cast("float", payload["created_at"])),
            key=cast("str | None", payload.get("key")),
            subject=cast("str | None", payload.get("subject")),
            sources=tuple(cast("list[str]", payload.get("sources", []))),
            derived_from=tuple(cast("list[str]", payload.get("derived_from", []))),
            expires_at=None if expires_at is None else float(cast("float", expires_at)),
            superseded_by=cast("str | None", payload.get("superseded_by")),
        )


@dataclass(frozen=True, slots=True)
class Point:
    """A row with its vectors."""

    entry: Entry
    dense: tuple[float, ...]
    sparse: Sparse


@dataclass(frozen=True, slots=True)
class Where:
    """Which rows: always of one tenant, and of every condition given (a condition matches any of its values).

    ``alive_at`` keeps only what is neither superseded nor expired at that moment.
    """

    tenant: str
    ids: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()
    subjects: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    derived_from: tuple[str, ...] = ()
    superseded_by: tuple[str, ...] = ()
    alive_at: float | None = None

    def matches(self) -> list[tuple[str, tuple[str, ...]]]:
        """Return the keyword conditions as (field, accepted values)."""
        conditions = [
            (TENANT_FIELD, (self.tenant,)),
            ("kind", self.kinds),
            ("key", self.keys),
            ("subject", self.subjects),
            ("sources", self.sources),
            ("derived_from", self.derived_from),
            ("superseded_by", self.superseded_by),
        ]
        return [(name, values) for name, values in conditions if values]


@dataclass(frozen=True, slots=True)
class Scored:
    """A row and its fused rank score, higher is better."""

    entry: Entry
    score: float


class VectorStore(Protocol):
    """Rows with a dense and a sparse vector; every method raises MemoryUnavailable when the engine does not answer."""

    async def write(self, points: Sequence[Point], amended: Sequence[Entry] = ()) -> None:
        """Insert or replace ``points``, then replace the fields of rows that exist; on disk when it returns."""
        ...

    async def query(self, dense: Sequence[float], sparse: Sparse, where: Where, limit: int) -> list[Scored]:
        """Rank by both vectors, fused by reciprocal rank; best first."""
        ...

    async def newest(self, where: Where, limit: int) -> list[Entry]:
        """Return the youngest rows by ``created_at``, youngest first."""
        ...

    async def scan(self, where: Where, after: str | None = None, limit: int = 256) -> tuple[list[Entry], str | None]:
        """Return a page in the order of ids, and where the next page starts (None: this was the last)."""
        ...

    async def delete_expired(self, at: float) -> int:
        """Remove every tenant's rows that expired by ``at``; return how many."""
        ...

    async def erase(self, ids: Sequence[str]) -> bool:
        """Remove rows for good; True says that the files were rewritten and hold none of their bytes.

        With no ids it still rewrites files that hold bytes of rows removed or replaced earlier.
        """
        ...

    async def flush(self) -> None:
        """Return once everything written before is on disk."""
        ...

    async def close(self) -> None:
        """Let go of files, processes and connections."""
        ...
