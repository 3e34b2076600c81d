"""The check of a whole log, as the command line makes it, and the checkpoints that a reader kept."""

import json
import tracemalloc
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from hybridmesh.bus.audit_trust import entry_problem
from hybridmesh.bus.envelope import seal
from hybridmesh.bus.errors import UsageError
from hybridmesh.bus.identity import Identity, KeyRing
from hybridmesh.bus.log_check import Examined, LogCheck
from hybridmesh.bus.merkle import leaf_hash, root_of
from hybridmesh.bus.proofs import LogEntry, entry_leaf
from hybridmesh.infra import audit_check, audit_log
from hybridmesh.infra.audit_check import verify_entries
from hybridmesh.infra.audit_formats import as_ocsf
from hybridmesh.infra.kept_checkpoints import KeptCheckpoint, read_kept
from hybridmesh.schemas.audits import Action, AuditEvent, Checkpoint
from hybridmesh.schemas.message import Message

NOW = datetime(2026, 11, 23, tzinfo=UTC)
ROUTER, AUDITOR = (Identity(name, Ed25519PrivateKey.generate()) for name in ("router", "auditor"))
RING = KeyRing({identity.name: [identity.public] for identity in (ROUTER, AUDITOR)})


def entry_of(message: Message, sequence: int, identity: Identity) -> LogEntry:
    sealed = seal(message, identity, NOW)
    return LogEntry(sequence, sealed.subject, sealed.headers, sealed.body)


LOG = [
    entry_of(AuditEvent(agent="router", action=Action.ROUTE_DECIDED, at=NOW, nonce=str(number)), number, ROUTER)
    for number in range(1, 10)
]
ROOTS = {size: root_of(map(entry_leaf, LOG[:size])).hex() for size in (6, 9)}
SIGNED = [entry_of(Checkpoint(size=6, root=ROOTS[6], at=NOW), 1, AUDITOR)]


def test_a_whole_log_is_covered_by_its_newest_checkpoint() -> None:
    """Nothing is hidden."""
    found = verify_entries(LOG, SIGNED, RING)
    assert (found.entries, found.checkpoints, found.covered, found.root) == (9, 1, 6, ROOTS[6])
    assert found.findings == ()
    kept = verify_entries(LOG, SIGNED, RING, [KeptCheckpoint(size=9, root=ROOTS[9])])
    assert (kept.covered, kept.root, kept.findings) == (9, ROOTS[9], ())


@pytest.mark.parametrize("action", [Action.APPROVAL_ANSWERED, Action.MESSAGE_REFUSED])
@pytest.mark.parametrize("by", ["dana", None])
def test_other_systems_read_who_decided(by: str | None, action: Action) -> None:
    """Nothing is hidden: who approved or refused stands where OCSF has the person, and silence is nobody's."""
    event = AuditEvent(agent="router", action=action, at=NOW, facts={"by": by})
    user = as_ocsf(entry_of(event, 1, ROUTER), event)["actor"].get("user")
    assert user == (None if by is None else {"name": by})


def test_a_forged_checkpoint_covers_nothing() -> None:
    """Nothing is hidden: the root that is shown is one that the auditor signed."""
    stranger = Identity("auditor", Ed25519PrivateKey.generate())
    by_router = entry_of(Checkpoint(size=9, root=ROOTS[9], at=NOW), 2, ROUTER)
    by_stranger = entry_of(Checkpoint(size=90, root="00" * 32, at=NOW), 3, stranger)
    found = verify_entries(LOG, [*SIGNED, by_router, by_stranger], RING)
    assert (found.covered, found.root) == (6, ROOTS[6])
    assert {finding.sequence for finding in found.findings} == {9, 90}


@pytest.mark.parametrize("body", [b"", b"{}", b"\xff", b'{"size": "many"}'])
def test_an_unreadable_checkpoint_is_a_finding(body: bytes) -> None:
    """Nothing is hidden: rubbish among the checkpoints does not keep anybody from the check."""
    rubbish = LogEntry(2, SIGNED[0].subject, SIGNED[0].headers, body)
    found = verify_entries(LOG, [*SIGNED, rubbish], RING)
    assert found.covered == 6
    assert [finding.problem for finding in found.findings] == ["checkpoint entry 2 cannot be read"]


def test_each_checkpoint_is_judged_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """It runs on what you have: a quiet mesh has as many checkpoints as entries, and signatures are what costs."""
    judged: list[str] = []

    def judge(entry: LogEntry, ring: KeyRing) -> str | None:
        judged.append(entry.subject)
        return entry_problem(entry, ring)

    monkeypatch.setattr(audit_check, "entry_problem", judge)
    assert verify_entries(LOG, SIGNED, RING).findings == ()
    assert sorted(judged) == sorted(entry.subject for entry in (*LOG, *SIGNED))


def test_several_cores_find_what_one_does(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is hidden: also where entries and checkpoints of a long log go to other processes and back."""
    edited = [*LOG[:3], replace(LOG[3], body=LOG[3].body.replace(b'"4"', b'"5"')), *LOG[4:]]
    forged = entry_of(Checkpoint(size=90, root="00" * 32, at=NOW), 3, Identity("auditor", Ed25519PrivateKey.generate()))
    alone = verify_entries(edited, [*SIGNED, forged], RING)
    monkeypatch.setattr(audit_check, "_WORTH_SPREADING", 2)
    monkeypatch.setattr(audit_log, "_BATCH", 2)
    assert verify_entries(edited, [*SIGNED, forged], RING) == alone
    assert [finding.sequence for finding in alone.findings] == [1, 4, 90]


def test_a_long_log_takes_little_memory() -> None:
    """It runs on what you have: a log has more entries than there is memory, and all of them are looked at."""
    count, check = 20_000, LogCheck()
    entries = (
        Examined(number, leaf_hash(b"%d" % number), None, leaf_hash(b"said %d" % number)[:16])
        for number in range(1, count + 1)
    )
    tracemalloc.start()
    try:
        check.add(entries)
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert held < 100 * count
    root = root_of(leaf_hash(b"%d" % number) for number in range(1, count + 1)).hex()
    assert check.findings([KeptCheckpoint(size=count, root=root)]) == []


def test_a_cut_tail_is_seen_by_who_kept_a_checkpoint(tmp_path: Path) -> None:
    """Nothing is hidden: a log that was cut together with its checkpoints does not pass for whole."""
    assert verify_entries(LOG[:6], SIGNED, RING).findings == ()
    file = tmp_path / "kept.json"
    file.write_text(json.dumps({"whole": True, "covered": 9, "root": ROOTS[9]}))
    (finding,) = verify_entries(LOG[:6], SIGNED, RING, read_kept(file)).findings
    assert finding.problem == "the tail is cut: a checkpoint counts 9 entries, the log ends at 6"


def test_kept_checkpoints_are_read_in_both_forms(tmp_path: Path) -> None:
    """Nothing is hidden: what a command printed, or a list by hand."""
    file = tmp_path / "kept.json"
    file.write_text(json.dumps([{"size": size, "root": root} for size, root in ROOTS.items()]))
    assert [(item.size, item.root) for item in read_kept(file)] == list(ROOTS.items())
    file.write_text(json.dumps({"covered": 6, "root": ROOTS[6]}))
    assert [(item.size, item.root) for item in read_kept(file)] == [(6, ROOTS[6])]


@pytest.mark.parametrize(
    "text", ["", "no", "{}", "3", "[]", '{"covered": 0, "root": ""}', '[{"size": 3, "root": "x"}]']
)
def test_a_file_without_checkpoints_is_a_usage_error(tmp_path: Path, text: str) -> None:
    """Nothing is hidden: a wrong file never passes for nothing to hold the log against."""
    file = tmp_path / "kept.json"
    file.write_text(text)
    with pytest.raises(UsageError, match="holds no checkpoints"):
        read_kept(file)
    with pytest.raises(UsageError, match="cannot be read"):
        read_kept(tmp_path)
