"""A log whose beginning is past its retention: still proven from there on, and not to be had by cutting it off."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from hybridmesh.agents.auditor.bundle import write_line
from hybridmesh.bus.audit_trust import entry_problem
from hybridmesh.bus.envelope import seal
from hybridmesh.bus.errors import UsageError
from hybridmesh.bus.identity import Identity, KeyRing
from hybridmesh.bus.log_proofs import LogSeal
from hybridmesh.bus.merkle import Frontier
from hybridmesh.bus.proofs import LogEntry, entry_leaf
from hybridmesh.infra import offline_verifier
from hybridmesh.infra.audit_check import verify_entries
from hybridmesh.infra.kept_checkpoints import KeptCheckpoint
from hybridmesh.schemas.audits import Action, AuditEvent, Checkpoint
from hybridmesh.schemas.message import Message

NOW = datetime(2026, 11, 23, tzinfo=UTC)
ROUTER, AUDITOR = (Identity(name, Ed25519PrivateKey.generate()) for name in ("router", "auditor"))
RING = KeyRing({identity.name: [identity.public] for identity in (ROUTER, AUDITOR)})
KEYS = {identity.name: [identity.public.public_bytes_raw().hex()] for identity in (ROUTER, AUDITOR)}


def entry_of(message: Message, sequence: int, identity: Identity) -> LogEntry:
    """Return a message as it is stored."""
    sealed = seal(message, identity, NOW)
    return LogEntry(sequence, sealed.subject, sealed.headers, sealed.body)


LOG = [
    entry_of(AuditEvent(agent="router", action=Action.ROUTE_DECIDED, at=NOW, nonce=str(number)), number, ROUTER)
    for number in range(1, 22)
]


def checkpoint(size: int, first: int) -> Checkpoint:
    """Return what the auditor signs over the first entries, when the log begins at ``first``."""
    tree = Frontier()
    for entry in LOG[:size]:
        tree.append(entry_leaf(entry))
    peaks = tuple(peak.hex() for peak in tree.peaks)
    return Checkpoint(size=size, root=tree.root().hex(), at=NOW - timedelta(days=1), peaks=peaks, first=first)


SIGNED = [checkpoint(7, 1), checkpoint(13, 1), checkpoint(20, 9)]


def stored(checkpoints: Sequence[Checkpoint]) -> list[LogEntry]:
    """Return checkpoints as they are stored."""
    return [entry_of(item, place, AUDITOR) for place, item in enumerate(checkpoints, 1)]


def problems(
    log: Sequence[LogEntry], checkpoints: Sequence[Checkpoint], kept: Sequence[KeptCheckpoint] = ()
) -> tuple[set[int], bool]:
    """Return where the mesh's check finds the log broken, after the other program has said the same of it."""
    signed = stored(checkpoints)
    found = verify_entries(log, signed, RING, kept)
    lines = [json.loads(write_line("log", entry)) for entry in log]
    lines += [json.loads(write_line("checkpoints", entry)) for entry in signed]
    assert bool(offline_verifier.check_export(lambda: lines, KEYS, [item.model_dump() for item in kept])[0]) == bool(
        found.findings
    )
    return {finding.sequence for finding in found.findings}, found.begins > 1


@pytest.mark.parametrize("first", range(2, 10))
def test_a_log_without_its_beginning_is_whole_from_there_on(first: int) -> None:
    """Nothing is hidden: what is left hangs on a tree that was signed when the rest was still there."""
    assert problems(LOG[first - 1 :], SIGNED) == (set(), True)
    signed = stored(SIGNED)
    assert "past their retention" in verify_entries(LOG[first - 1 :], signed, RING).describe()


def test_a_beginning_that_nobody_signed_for_is_missing() -> None:
    """Nothing is hidden: a log that was cut further than the auditor has seen it go does not hold."""
    assert problems(LOG[10:], SIGNED)[0] >= {1}
    assert problems(LOG[3:], SIGNED[:2])[0] >= {1}


def test_what_is_left_can_not_be_changed() -> None:
    """Nothing is hidden: an edit after the beginning is found as in a whole log, and so are a gap and a cut tail."""
    forged = entry_of(AuditEvent(agent="router", action=Action.EGRESS_STARTED, at=NOW), 16, ROUTER)
    assert problems([*LOG[8:15], forged, *LOG[16:]], SIGNED)[0]
    assert problems([*LOG[8:15], *LOG[16:]], SIGNED)[0] >= {16}
    assert problems(LOG[8:18], SIGNED)[0] >= {19}


def test_peaks_that_are_not_those_of_the_root_begin_nothing() -> None:
    """Nothing is hidden: who could sign a wrong beginning would still have to find its root."""
    other = checkpoint(12, 1).peaks
    bad = [item.model_copy(update={"peaks": other}) for item in SIGNED]
    assert problems(LOG[8:], bad)[0] >= {1}


def test_a_proof_from_a_log_without_its_beginning_says_what_to_do() -> None:
    """It runs on what you have: proofs are made from all leaves, and the remedy is an export that was kept."""
    signature = partial(entry_problem, ring=RING)
    with pytest.raises(UsageError, match="begins at entry 9"):
        LogSeal(signature).add(LOG[8:])
    nothing = LogSeal(signature)
    nothing.add_checkpoints(stored(EMPTIED))
    with pytest.raises(UsageError, match="begins at entry 22"):
        nothing.falls_short()


def test_a_kept_checkpoint_is_held_against_a_signed_one_where_its_entries_are_gone() -> None:
    """Nothing is hidden: two roots of one size are a fork, whether the log still reaches so far back or not."""
    assert problems(LOG[8:], SIGNED, [kept(7)]) == (set(), True)
    assert problems(LOG[8:], SIGNED, [kept(7, "11")])[0] == {7}
    forked = checkpoint(7, 1).model_copy(update={"root": "22" * 32, "peaks": ()})
    assert problems(LOG[8:], [*SIGNED, forked])[0] == {7}


def test_a_kept_checkpoint_that_nothing_can_be_held_against_is_named() -> None:
    """Nothing is hidden: what was not compared does not pass for agreed, but where a newer one speaks for it."""
    assert problems(LOG[8:], SIGNED, [kept(6)])[0] == {6}
    assert problems(LOG[8:], SIGNED, [kept(6), kept(15)]) == (set(), True)
    assert problems(LOG[8:], SIGNED, [kept(6), kept(15, "11")])[0]
    assert problems(LOG, SIGNED, [kept(6)]) == (set(), False)


def test_entries_that_the_checkpoint_at_the_beginning_counts_are_the_tail_too() -> None:
    """Nothing is hidden: a log that ends before the tree from which it is checked was cut."""
    beginning = checkpoint(13, 9)
    assert problems(LOG[8:13], [beginning]) == (set(), True)
    assert problems(LOG[8:11], [beginning])[0] == {12}


EMPTIED = [*SIGNED, checkpoint(21, 9), checkpoint(21, 22)]


def test_a_log_of_which_all_is_past_its_retention_is_whole(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing is hidden: the auditor has signed that all of it was old enough, and both programs say so."""
    assert problems([], EMPTIED) == (set(), True)
    found = verify_entries([], stored(EMPTIED), RING)
    assert (found.begins, found.covered, found.root) == (22, 21, EMPTIED[-1].root)
    assert "all 21 entries are past their retention, nothing is there to verify before entry 22" in found.describe()
    (tmp_path / "log").write_text("\n".join(write_line("checkpoints", entry) for entry in stored(EMPTIED)), "utf-8")
    (tmp_path / "ring.json").write_text(json.dumps(KEYS), "utf-8")
    assert offline_verifier.main(["verify.py", str(tmp_path / "log"), str(tmp_path / "ring.json")]) == 0
    said = "entries 1 to 21 are past their retention, nothing is there to verify before entry 22\nit holds\n"
    assert capsys.readouterr().out == said


@pytest.mark.parametrize(
    ("checkpoints", "named"),
    [
        ([checkpoint(13, 1), checkpoint(13, 14), checkpoint(20, 14)], 14),
        ([checkpoint(21, 1)], 1),
        (SIGNED, 9),
        ([checkpoint(13, 1), checkpoint(13, 15).model_copy(update={"peaks": checkpoint(12, 1).peaks})], 1),
    ],
    ids=["written-since", "never-said", "said-of-some", "peaks-of-another"],
)
def test_a_log_that_was_emptied_before_its_time_was_cut(checkpoints: list[Checkpoint], named: int) -> None:
    """Nothing is hidden: entries that are not past their retention are missed, though nothing at all is left."""
    assert problems([], checkpoints)[0] == {named}
    (finding,) = verify_entries([], stored(checkpoints), RING).findings
    assert finding.problem.startswith("the tail is cut")
    assert ("no checkpoint says" in finding.problem) == (named == 1)


def test_what_was_kept_is_held_against_a_log_without_entries() -> None:
    """Nothing is hidden: a later checkpoint shows a tail that was cut, another root a fork."""
    assert problems([], EMPTIED, [kept(13), kept(21)]) == (set(), True)
    assert problems([], EMPTIED, [KeptCheckpoint(size=25, root="11" * 32)])[0] == {22}
    assert problems([], EMPTIED, [kept(21, "11")])[0] == {21}
    assert problems([], EMPTIED, [kept(6)])[0] == {6}


def kept(size: int, root: str = "") -> KeptCheckpoint:
    """Return what somebody wrote down, the truth or another root."""
    return KeptCheckpoint(size=size, root=root * 32 or checkpoint(size, 1).root)
