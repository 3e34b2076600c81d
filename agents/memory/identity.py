"""Who an item is, whether it may be kept, and what becomes of those it repeats or replaces. Pure.

Decided in code and never by a model: models that curate a memory were seen to delete facts that were true.
"""

import json
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID, uuid5

from hybridmesh.agents.memory.store import Entry
from hybridmesh.schemas.memory import Kind, MemoryItem, WriteResult

_NAMESPACE = UUID("6f0f5b0e-2f0c-5d3f-9a51-6c1f3d7a4e88")


def normalise(text: str) -> str:
    """Return the form in which two texts count as the same: NFC, runs of white space as one blank.

    Case stays, and compatibility characters too: ``AbC`` and ``abc``, ``10²`` and ``102`` are different facts.
    """
    return " ".join(unicodedata.normalize("NFC", text).split())


def item_id(tenant: str, item: MemoryItem) -> str:
    """Return the id that any writer at any time derives for the same fact (RFC 9562 name-based, version 5)."""
    name = json.dumps([tenant, item.kind, item.key, item.subject, normalise(item.text)])
    return str(uuid5(_NAMESPACE, name))


def is_id(text: str) -> bool:
    """Return whether the text could be an item's id; a store takes nothing else for one."""
    try:
        return str(UUID(text)) == text
    except ValueError:
        return False


def refusal(item: MemoryItem, now: datetime) -> str | None:
    """Return why the item may not be kept, or None."""
    if item.origin == "recall":
        return "from-memory"
    if not normalise(item.text):
        return "empty-text"
    if not (item.source.strip() and item.author.strip()):
        return "no-provenance"
    times = [item.created_at] if item.expires_at is None else [item.created_at, item.expires_at]
    if any(time.tzinfo is None for time in times):
        return "time-without-zone"
    if item.expires_at is not None and item.expires_at <= now:
        return "already-expired"
    return None


def to_entry(tenant: str, item: MemoryItem) -> Entry:
    """Return the row of an item that was not refused; the id a caller put in is replaced by the derived one."""
    own_id = item_id(tenant, item)
    return Entry(
        id=own_id,
        tenant=tenant,
        kind=item.kind.value,
        item=item.model_copy(update={"id": own_id}).model_dump_json(),
        created_at=item.created_at.timestamp(),
        key=item.key,
        subject=item.subject,
        sources=(item.source,),
        derived_from=item.derived_from,
        expires_at=None if item.expires_at is None else item.expires_at.timestamp(),
    )


def slot(entry: Entry) -> tuple[str | None, ...] | None:
    """Return what only one living version may fill, or None where versions stand side by side.

    A preference is one per key and subject, a document one per key and source. Lessons and records stay side
    by side: a second lesson of the same key adds to the first.
    """
    if entry.key is None:
        return None
    if entry.kind == Kind.PREFERENCE:
        return (entry.tenant, entry.kind, entry.key, entry.subject)
    if entry.kind == Kind.DOCUMENT:
        return (entry.tenant, entry.kind, entry.key, *entry.sources[:1])
    return None


@dataclass(frozen=True, slots=True)
class Decision:
    """What to do: the outcome to report, the row to insert (with vectors), rows whose fields change."""

    result: WriteResult
    insert: Entry | None = None
    amend: tuple[Entry, ...] = ()


def decide(entry: Entry, supersedes: str | None, known: Iterable[Entry]) -> Decision:
    """Decide on one row against the rows of its tenant that could matter.

    Args:
        entry: the row offered.
        supersedes: the id that the writer says it replaces.
        known: at least the row of the same id, the row named by ``supersedes``, and the living rows of its slot.

    Deciding again on the same offer changes nothing, and finishes what a crash cut short.

    """
    rows = {row.id: row for row in known if row.tenant == entry.tenant}
    same = rows.pop(entry.id, None)
    named = rows.get(supersedes) if supersedes else None
    rivals = [r for r in rows.values() if slot(entry) is not None and slot(r) == slot(entry) and not r.superseded_by]
    if same is not None and same.created_at >= entry.created_at:
        return _repeat(entry, same, named, rivals)

    newer = max((r for r in rivals if r.created_at > entry.created_at), key=lambda r: r.created_at, default=None)
    if newer is not None:
        superseded_by: str | None = newer.id
    elif same is not None and slot(entry) is None and same.superseded_by != supersedes:
        superseded_by = same.superseded_by  # a correction holds, though the old text is offered again
    else:
        superseded_by = None
    fresh = replace(entry, superseded_by=superseded_by)
    retired = () if superseded_by else _retire(entry.id, rivals, named)
    if same is not None:
        merged = replace(fresh, sources=_union(same.sources, entry.sources))
        merged = replace(merged, derived_from=_union(same.derived_from, entry.derived_from))
        return Decision(_result(entry, "duplicate", "refreshed"), amend=(merged, *retired))
    if superseded_by:
        return Decision(_result(entry, "created", "older-version"), insert=fresh)
    return Decision(_result(entry, "superseded" if retired else "created"), insert=fresh, amend=retired)


def _repeat(entry: Entry, same: Entry, named: Entry | None, rivals: list[Entry]) -> Decision:
    sources = _union(same.sources, entry.sources)
    derived = _union(same.derived_from, entry.derived_from)
    changed = (sources, derived) != (same.sources, same.derived_from)
    kept = (replace(same, sources=sources, derived_from=derived),) if changed else ()
    older = [rival for rival in rivals if rival.created_at <= same.created_at]
    retired = () if same.superseded_by else _retire(entry.id, older, named)
    return Decision(_result(entry, "duplicate"), amend=(*kept, *retired))


def _retire(by: str, rivals: list[Entry], named: Entry | None) -> tuple[Entry, ...]:
    old = {row.id: row for row in (*rivals, *([named] if named else [])) if not row.superseded_by}
    return tuple(replace(row, superseded_by=by) for row in old.values())


def _union(first: tuple[str, ...], second: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*first, *second)))


def _result(entry: Entry, outcome: str, reason: str = "") -> WriteResult:
    return WriteResult.model_validate({"id": entry.id, "outcome": outcome, "reason": reason})
