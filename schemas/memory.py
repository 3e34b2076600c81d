"""What the private memory holds and the requests it answers.

The scope (tenant, clearance) of a request comes from the caller's identity on the bus, never from the request.
"""

from datetime import datetime
from enum import StrEnum
from typing import Any, Literal

from pydantic import Field

from hybridmesh.schemas.message import Frozen


class Kind(StrEnum):
    """What sort of thing is remembered."""

    DOCUMENT = "document"
    RECORD = "record"
    PREFERENCE = "preference"
    EPISODE = "episode"
    LESSON = "lesson"
    FRAMEWORK = "framework"


class MemoryItem(Frozen):
    """One remembered thing; ``key`` makes it findable without search, ``source`` says where it came from.

    ``origin="recall"`` marks text that came out of the memory: the store refuses it, or it would feed itself.
    ``derived_from`` holds the ids of the items it was made from: forgetting one of them forgets it too.
    """

    kind: Kind
    text: str
    key: str | None = None
    data: dict[str, Any] = {}
    subject: str | None = None
    source: str = Field(min_length=1)
    author: str = Field(min_length=1)
    origin: Literal["input", "feedback", "cloud", "work", "recall"] = "input"
    created_at: datetime
    expires_at: datetime | None = None
    supersedes: str | None = None
    derived_from: tuple[str, ...] = ()
    id: str = ""


class Hit(Frozen):
    """A remembered item, how well it matches, and which way found it."""

    item: MemoryItem
    score: float
    via: Literal["key", "hybrid"]


class Scope(Frozen):
    """Whose memory is read or written; derived from the caller's identity."""

    tenant: str = "default"


class Remember(Frozen):
    """Store items; acknowledged when they are on disk."""

    items: tuple[MemoryItem, ...] = Field(max_length=256)


class WriteResult(Frozen):
    """What became of one item."""

    id: str
    outcome: Literal["created", "duplicate", "superseded", "refused"]
    reason: str = ""


class Remembered(Frozen):
    """The reply to :class:`Remember`, in the order of its items."""

    results: tuple[WriteResult, ...]


class Search(Frozen):
    """Hybrid search (BM25 and dense vectors, fused) over the kinds given; empty ``kinds`` means all."""

    query: str
    kinds: tuple[Kind, ...] = ()
    limit: int = Field(default=5, ge=1, le=100)


class Lookup(Frozen):
    """Find by exact key, newest first: deterministic, no ranking."""

    kind: Kind
    key: str


class Hits(Frozen):
    """The reply to :class:`Search` and :class:`Lookup`, best first."""

    hits: tuple[Hit, ...] = ()


class Rank(Frozen):
    """Compare a text with some short descriptions by meaning; nothing is stored or looked up."""

    text: str
    candidates: tuple[str, ...] = Field(min_length=1, max_length=64)


class Ranking(Frozen):
    """The reply to :class:`Rank`: a score for each candidate, in order; higher is nearer, 2 is the most."""

    scores: tuple[float, ...]


class Forget(Frozen):
    """Remove everything of a subject, of a source, or by ids; at least one of the three."""

    subject: str | None = None
    source: str | None = None
    ids: tuple[str, ...] = ()


class ForgetReceipt(Frozen):
    """What was forgotten; ``rebuilt`` says that the files were rewritten, so that no bytes are left."""

    removed: int
    rebuilt: bool
    at: datetime


def lesson_key(workflow: str | None, step_id: str | None) -> str:
    """Return the key under which the lessons of a kind of step are found; ``any`` where the person named none."""
    return f"lesson/{workflow or 'any'}/{step_id or 'any'}"


def lesson_keys(workflow: str | None, step_id: str) -> tuple[str, ...]:
    """Return the keys of the lessons that hold for a step, narrowest first: its own is the first."""
    places = ((workflow, step_id), (workflow, None), (None, step_id), (None, None))
    return tuple(dict.fromkeys(lesson_key(flow, step) for flow, step in places))
