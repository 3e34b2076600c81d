"""An exported log, whole and tampered with in every way that we know of."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from hybridmesh.agents.auditor.bundle import read_lines, write_line
from hybridmesh.bus.audit_trust import entry_problem
from hybridmesh.bus.envelope import seal
from hybridmesh.bus.errors import UsageError
from hybridmesh.bus.identity import Identity, KeyRing
from hybridmesh.bus.log_check import check_log
from hybridmesh.bus.merkle import root_of
from hybridmesh.bus.proofs import LogEntry, entry_leaf
from hybridmesh.schemas.audits import Action, AuditEvent, AuditFinding, Checkpoint
from hybridmesh.schemas.message import Message

NOW = datetime(2026, 11, 23, tzinfo=UTC)
ROUTER, AUDITOR = (Identity(name, Ed25519PrivateKey.generate()) for name in ("router", "auditor"))
RING = KeyRing({identity.name: [identity.public] for identity in (ROUTER, AUDITOR)})


def holds(entry: LogEntry) -> str | None:
    return entry_problem(entry, RING)


def entry_of(message: Message, sequence: int, identity: Identity) -> LogEntry:
    sealed = seal(message, identity, NOW)
    return LogEntry(sequence, sealed.subject, sealed.headers, sealed.body)


def event(number: int) -> AuditEvent:
    return AuditEvent(agent="router", action=Action.ROUTE_DECIDED, at=NOW, nonce=str(number), facts={"cost": number})


def log_of(count: int) -> list[LogEntry]:
    return [entry_of(event(number), number, ROUTER) for number in range(1, count + 1)]


def checkpoint_of(log: list[LogEntry], size: int) -> Checkpoint:
    return Checkpoint(size=size, root=root_of(map(entry_leaf, log[:size])).hex(), at=NOW)


def checkpoints_of(log: list[LogEntry], *sizes: int) -> list[LogEntry]:
    return [entry_of(checkpoint_of(log, size), place, AUDITOR) for place, size in enumerate(sizes, start=1)]


LOG = log_of(20)
CHECKPOINTS = checkpoints_of(LOG, 5, 12, 20)


def problems(log: list[LogEntry], checkpoints: list[LogEntry] = CHECKPOINTS) -> list[tuple[int, str]]:
    return [(finding.sequence, finding.problem) for finding in check_log(log, checkpoints, holds)]


def test_a_whole_log_holds() -> None:
    """Nothing is hidden: a log that nobody touched gives no finding, with entries past the last checkpoint too."""
    assert problems(LOG) == []
    assert problems(log_of(0), []) == []
    assert check_log(LOG, CHECKPOINTS[:2], holds, kept=[checkpoint_of(LOG, 20)]) == []


def test_an_edited_entry_is_named() -> None:
    """Nothing is hidden: one changed byte is found at its entry, and by the tree."""
    edited = [*LOG]
    edited[7] = replace(LOG[7], body=LOG[7].body.replace(b'"cost":8', b'"cost":1'))
    found = problems(edited)
    assert (8, "signature does not hold") in found
    assert (6, "entries 6 to 12 are not those that the checkpoint was signed over") in found
    assert len(found) == 2


def test_an_edited_entry_that_its_agent_signed_again_is_found() -> None:
    """Nothing is hidden: even who holds the agent's key cannot change what a checkpoint covers."""
    rewritten = [*LOG]
    rewritten[7] = entry_of(event(99), 8, ROUTER)
    assert problems(rewritten) == [(6, "entries 6 to 12 are not those that the checkpoint was signed over")]


@pytest.mark.parametrize("part", ["subject", "ce-id", "ce-time", "ce-source", "mesh-signature"])
def test_every_signed_part_counts(part: str) -> None:
    """Nothing is hidden: subject and headers are covered as the body is."""
    old = LOG[2]
    changed = (
        replace(old, subject=old.subject + "0")
        if part == "subject"
        else replace(old, headers={**old.headers, part: old.headers[part] + "0"})
    )
    found = problems([*LOG[:2], changed, *LOG[3:]])
    assert 3 in [sequence for sequence, _ in found]
    assert (1, "entries 1 to 5 are not those that the checkpoint was signed over") in found


def test_a_gap_is_named() -> None:
    """Nothing is hidden: what was taken out leaves a hole that is named."""
    assert problems([*LOG[:6], *LOG[8:]]) == [(7, "entries 7 to 8 are missing")]
    assert problems(LOG[3:]) == [(1, "entries 1 to 3 are missing")]


def test_a_gap_that_was_closed_is_found() -> None:
    """Nothing is hidden: numbering the rest anew does not hide what is gone."""
    closed = [*LOG[:6], *(replace(entry, sequence=entry.sequence - 1) for entry in LOG[7:])]
    found = problems(closed)
    assert (6, "entries 6 to 12 are not those that the checkpoint was signed over") in found
    assert (20, "the tail is cut: a checkpoint counts 20 entries, the log ends at 19") in found


def test_a_cut_tail_is_found() -> None:
    """Nothing is hidden: a log without its end is found by its checkpoints, or by one kept outside."""
    cut = (16, "the tail is cut: a checkpoint counts 20 entries, the log ends at 15")
    assert problems(LOG[:15]) == [cut]
    found = check_log(LOG[:15], CHECKPOINTS[:2], holds, kept=[checkpoint_of(LOG, 20)])
    assert found == [AuditFinding(sequence=cut[0], problem=cut[1])]


def test_a_log_without_checkpoints_is_not_called_whole() -> None:
    """Nothing is hidden: when all checkpoints are gone, a cut tail could not be seen, and that is said."""
    assert problems(LOG[:15], []) == [(15, "no checkpoint: a cut tail could not be seen")]


def test_swapped_entries_are_found() -> None:
    """Nothing is hidden: the order counts, with the old numbers or with new ones."""
    swapped = [*LOG[:8], LOG[9], LOG[8], *LOG[10:]]
    assert [sequence for sequence, _ in problems(swapped)] == [9, 9]
    renumbered = [*LOG[:8], replace(LOG[9], sequence=9), replace(LOG[8], sequence=10), *LOG[10:]]
    assert problems(renumbered) == [(6, "entries 6 to 12 are not those that the checkpoint was signed over")]


@pytest.mark.parametrize(
    ("forge", "problem"),
    [
        (lambda: entry_of(event(21), 21, Identity("router", Ed25519PrivateKey.generate())), "signature does not hold"),
        (lambda: entry_of(event(21), 21, AUDITOR), "the event names another agent than its producer"),
        (lambda: replace(entry_of(event(21), 21, ROUTER), headers={}), "unknown event type"),
        (lambda: entry_of(checkpoint_of(LOG, 20), 21, AUDITOR), "not an audit event"),
    ],
)
def test_a_forged_event_is_named(forge: Callable[[], LogEntry], problem: str) -> None:
    """Nothing is hidden: only an agent itself can say what it did."""
    assert problems([*LOG, forge()]) == [(21, problem)]


def test_forged_and_forked_checkpoints_are_named() -> None:
    """Nothing is hidden: a checkpoint counts only with the auditor's signature, and one size has one root."""
    other = Checkpoint(size=8, root="00" * 32, at=NOW)
    by_router = entry_of(other, 4, ROUTER)
    assert problems(LOG, [*CHECKPOINTS, by_router]) == [
        (8, "checkpoint: producer is not named in the topology for this type")
    ]
    stolen = entry_of(other, 4, Identity("auditor", Ed25519PrivateKey.generate()))
    assert problems(LOG, [*CHECKPOINTS, stolen]) == [(8, "checkpoint: signature does not hold")]
    signed = entry_of(other, 4, AUDITOR)
    assert problems(LOG, [*CHECKPOINTS, signed]) == [(8, "checkpoint's root is not that of this log")]
    fork = entry_of(Checkpoint(size=12, root="00" * 32, at=NOW), 4, AUDITOR)
    assert (12, "two checkpoints of this size with different roots") in problems(LOG, [*CHECKPOINTS, fork])
    unreadable = replace(CHECKPOINTS[0], body=b"{}")
    assert problems(LOG, [unreadable, *CHECKPOINTS[1:]]) == [(0, "checkpoint entry 1 cannot be read")]


def test_an_export_is_byte_exact() -> None:
    """Nothing is hidden: what is written to a file is what is checked later, also bytes that are no text."""
    odd = replace(LOG[0], body=b"\xff\x00 not text", headers={"a": "ü\u2028"})
    lines = [write_line("log", entry) for entry in [odd, *LOG]] + [write_line("checkpoints", CHECKPOINTS[0])]
    read = list(read_lines([*lines, "\n"]))
    assert [entry for part, entry in read if part == "log"] == [odd, *LOG]
    assert [entry for part, entry in read if part == "checkpoints"] == CHECKPOINTS[:1]


@pytest.mark.parametrize("line", ["[]", "{}", "not json", write_line("log", LOG[0])[:-1] + ', "more": 1}'])
def test_a_broken_export_is_refused_by_line(line: str) -> None:
    """Nothing is hidden: a file that is no export is refused, naming the line and not its text."""
    with pytest.raises(UsageError, match=r"^line 2 is not an entry of an audit export$"):
        list(read_lines([write_line("log", LOG[0]), line]))


def test_the_servers_own_headers_do_not_count() -> None:
    """Nothing is hidden: an entry has one leaf, however it was read from the server."""
    read_otherwise = replace(LOG[0], headers={**LOG[0].headers, "Nats-Sequence": "1"})
    assert entry_leaf(read_otherwise) == entry_leaf(LOG[0])
