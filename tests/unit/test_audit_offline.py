"""Proofs about the log, and the program that checks them without hybridmesh: it finds what the mesh's check finds."""

import json
import sys
import tracemalloc
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from command_line import run_command
from hybridmesh.bus.envelope import seal
from hybridmesh.bus.identity import Identity
from hybridmesh.bus.log_proofs import LogSeal
from hybridmesh.bus.merkle import consistency_path, grew, includes, levels_of, path_through, root_of
from hybridmesh.bus.proofs import LogEntry, entry_leaf
from hybridmesh.bus.topology import producers_of
from hybridmesh.infra import offline_verifier as verifier
from hybridmesh.infra.audit_check import verify_entries
from hybridmesh.schemas.audits import Action, AuditEvent, Checkpoint
from signed_log import (
    AUDITOR,
    LOG,
    NOW,
    OBSERVER,
    PROGRAM,
    RING,
    ROOTS,
    ROUTER,
    SIGNED,
    SUBMITTER,
    TASK,
    check,
    entry_of,
    event,
    with_ring,
    written,
)


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    """A folder with the ring."""
    return with_ring(tmp_path)


def test_the_program_imports_the_standard_library_and_cryptography_alone() -> None:
    """Nothing is hidden: an auditor reads one file."""
    lines = [line for line in PROGRAM.read_text("utf-8").splitlines() if line.startswith(("import ", "from "))]
    roots = {line.split()[1].partition(".")[0] for line in lines}
    assert roots - sys.stdlib_module_names == {"cryptography"}


def test_a_whole_log_holds(tmp_path: Path, keys: Path) -> None:
    """Nothing is hidden: with an export and the ring, elsewhere."""
    ran = check(written(tmp_path, LOG), keys / "ring.json")
    assert (ran.returncode, ran.stdout) == (0, "it holds\n"), ran.stderr


def edited(log: list[LogEntry]) -> list[LogEntry]:
    """One byte of a body is another."""
    log[4] = LogEntry(5, log[4].subject, log[4].headers, log[4].body.replace(b'"5"', b'"6"'))
    return log


def signed_anew(log: list[LogEntry]) -> list[LogEntry]:
    """Another event in the place of one, signed by its agent."""
    log[4] = entry_of(AuditEvent(agent="router", action=Action.AGENT_STARTED, at=NOW, nonce="5"), 5)
    return log


def swapped(log: list[LogEntry]) -> list[LogEntry]:
    """Two entries have changed their places and their numbers."""
    log[4], log[5] = LogEntry(5, *parts(log[5])), LogEntry(6, *parts(log[4]))
    return log


def forged(log: list[LogEntry]) -> list[LogEntry]:
    """An event of nobody's at the end."""
    stranger = Identity("router", Ed25519PrivateKey.generate())
    made = AuditEvent(agent="router", action=Action.ROUTE_DECIDED, at=NOW, nonce="12")
    return [*log, entry_of(made, 12, stranger)]


def by_a_reader(log: list[LogEntry]) -> list[LogEntry]:
    """An event of one who has a key, but may write none."""
    made = AuditEvent(agent="observer", action=Action.AGENT_STARTED, at=NOW, nonce="12")
    return [*log, entry_of(made, 12, OBSERVER)]


def by_a_submitter(log: list[LogEntry]) -> list[LogEntry]:
    """The same of a tenant."""
    made = AuditEvent(agent="submitter-acme", action=Action.AGENT_STARTED, at=NOW, nonce="12")
    return [*log, entry_of(made, 12, SUBMITTER)]


def repeated(log: list[LogEntry]) -> list[LogEntry]:
    """A true event stands there a second time."""
    return [*log, LogEntry(12, *parts(log[2]))]


def with_a_gap(log: list[LogEntry]) -> list[LogEntry]:
    """One entry is gone."""
    return log[:4] + log[5:]


def without_its_end(log: list[LogEntry]) -> list[LogEntry]:
    """The last entries are gone, their checkpoint is not."""
    return log[:8]


def parts(entry: LogEntry) -> tuple[str, dict[str, str], bytes]:
    """Return what an entry says, without its place."""
    return entry.subject, entry.headers, entry.body


@pytest.mark.parametrize(
    ("harm", "named"),
    [
        (edited, "entry 5: signature does not hold"),
        (signed_anew, "checkpoint over 5 entries"),
        (swapped, "checkpoint over 5 entries"),
        (forged, "entry 12: signature does not hold"),
        (by_a_reader, "entry 12: speaks for another"),
        (by_a_submitter, "entry 12: speaks for another"),
        (repeated, "entry 12: entry 3 again"),
        (with_a_gap, "entry 5: missing"),
        (without_its_end, "entry 9: the tail is cut"),
    ],
    ids=["edited", "signed-anew", "swapped", "forged", "by-a-reader", "by-a-submitter", "repeated", "removed", "cut"],
)
def test_what_was_done_to_a_log_is_named(
    harm: Callable[[list[LogEntry]], list[LogEntry]], named: str, tmp_path: Path, keys: Path
) -> None:
    """Nothing is hidden: and the mesh's own check says the same."""
    log = harm(list(LOG))
    ran = check(written(tmp_path, log), keys / "ring.json")
    assert ran.returncode == 1
    assert named in ran.stdout
    assert ran.stdout.endswith("DOES NOT HOLD\n")
    assert verify_entries(log, SIGNED, RING).findings


def test_the_program_knows_who_writes_events() -> None:
    """Nothing is hidden: its list is that of the topology."""
    assert producers_of(AuditEvent) == verifier.RECORDERS


def test_what_an_agent_does_again_it_may_say_again() -> None:
    """Nothing is lost: a message that comes back after hours gives an event of the same id, which is no copy."""
    again = AuditEvent(agent="router", action=Action.ROUTE_DECIDED, at=NOW, nonce="3", task_id=TASK)
    sealed = seal(again, ROUTER, NOW + timedelta(hours=2))
    log = [*LOG, LogEntry(12, sealed.subject, sealed.headers, sealed.body)]
    assert log[11].headers["ce-id"] == log[2].headers["ce-id"]
    assert verify_entries(log, SIGNED, RING).findings == ()


def test_a_log_cut_with_its_checkpoints_is_seen_by_who_kept_one(tmp_path: Path, keys: Path) -> None:
    """Nothing is hidden."""
    export, kept = written(tmp_path, LOG[:5], SIGNED[:1]), tmp_path / "kept.json"
    assert check(export, keys / "ring.json").returncode == 0
    kept.write_text(json.dumps({"whole": True, "covered": 11, "root": ROOTS[11]}), "utf-8")
    ran = check(export, keys / "ring.json", kept)
    assert ran.returncode == 1
    assert "the tail is cut" in ran.stdout


def proof_of(tmp_path: Path, keys: Path, *words: str) -> Path:
    """Return the file of a proof from an export."""
    export = written(tmp_path, LOG)
    ran = run_command("audit", "prove", *words, "--file", str(export), "--keys", str(keys))
    assert ran.code == 0, ran.err
    file = tmp_path / "proof.json"
    file.write_text(ran.out, "utf-8")
    return file


def test_a_tasks_events_are_proved_without_the_log(tmp_path: Path, keys: Path) -> None:
    """Nothing is hidden: two entries and a few hashes; no other entry is in the proof."""
    file = proof_of(tmp_path, keys, TASK)
    proof = json.loads(file.read_text("utf-8"))
    assert [item["entry"]["sequence"] for item in proof["entries"]] == [3, 8]
    assert check(file, keys / "ring.json").returncode == 0
    for harm in ("path", "body", "task", "nothing", "more", "kind"):
        spoiled = json.loads(file.read_text("utf-8"))
        match harm:
            case "path":
                spoiled["entries"][0]["path"][0] = "00" * 32
            case "body":
                spoiled["entries"][1]["entry"]["body"] += " "
            case "task":
                spoiled["task"] = TASK.replace("1", "2")
            case "more":
                spoiled["note"] = "all is well"
            case "kind":
                spoiled["proves"] = "everything"
            case _:
                spoiled["entries"] = []
        wrong = tmp_path / "wrong.json"
        wrong.write_text(json.dumps(spoiled), "utf-8")
        assert check(wrong, keys / "ring.json").returncode == 1, harm


def test_a_kept_checkpoint_is_held_against_a_proof_of_events(tmp_path: Path, keys: Path) -> None:
    """Nothing is hidden: a fork is one in any proof, and what was not compared is said."""
    file, kept = proof_of(tmp_path, keys, TASK), tmp_path / "kept.json"
    kept.write_text(json.dumps({"size": 11, "root": "11" * 32}), "utf-8")
    ran = check(file, keys / "ring.json", kept)
    assert (ran.returncode, "two checkpoints over 11 entries" in ran.stdout) == (1, True)
    kept.write_text(json.dumps({"size": 5, "root": ROOTS[5]}), "utf-8")
    ran = check(file, keys / "ring.json", kept)
    assert (ran.returncode, "was not compared" in ran.stdout) == (0, True)


def test_growth_is_proved_from_what_was_kept(tmp_path: Path, keys: Path) -> None:
    """Nothing is hidden: who keeps 64 letters sees that nothing before them was changed."""
    kept = tmp_path / "kept.json"
    kept.write_text(json.dumps({"size": 5, "root": ROOTS[5]}), "utf-8")
    file = proof_of(tmp_path, keys, "--since", str(kept))
    assert check(file, keys / "ring.json", kept).returncode == 0
    other = tmp_path / "other.json"
    other.write_text(json.dumps({"size": 5, "root": "11" * 32}), "utf-8")
    assert check(file, keys / "ring.json", other).returncode == 1
    assert check(proof_of(tmp_path, keys, "--since", str(other)), keys / "ring.json").returncode == 1


def forged_checkpoints() -> list[LogEntry]:
    """Return what looks like checkpoints over the whole log: by nobody, by an agent that may not, and rubbish."""
    stranger = Identity("auditor", Ed25519PrivateKey.generate())
    over = [Checkpoint(size=size, root="11" * 32, at=NOW) for size in (8, 10, 11)]
    rubbish = LogEntry(20, SIGNED[0].subject, SIGNED[0].headers, b'{"size": 11}')
    return [*(entry_of(item, 10 + item.size, who) for who in (stranger, ROUTER) for item in over), rubbish]


@pytest.mark.parametrize("words", [("--json",), ()])
def test_a_proof_is_made_for_a_checkpoint_that_the_auditor_signed(
    words: tuple[str, ...], tmp_path: Path, keys: Path
) -> None:
    """Nothing is hidden: who stores what only looks like one keeps nobody from a proof, on one line or on many."""
    newest = entry_of(Checkpoint(size=9, root=root_of(map(entry_leaf, LOG[:9])).hex(), at=NOW), 2, AUDITOR)
    export = written(tmp_path, LOG, [SIGNED[0], newest, *forged_checkpoints()])
    kept, file = tmp_path / "kept", tmp_path / "proof"
    kept.write_text(json.dumps({"size": 5, "root": ROOTS[5]}), "utf-8")
    for what in ((TASK,), ("--since", str(kept))):
        ran = run_command("audit", "prove", *what, "--file", str(export), "--keys", str(keys), *words)
        assert ran.json["checkpoint"]["sequence"] == newest.sequence
        file.write_text(ran.out, "utf-8")
        checked = check(file, keys / "ring.json")
        assert (checked.returncode, checked.stdout) == (0, "it holds\n")


def test_forged_checkpoints_alone_are_none(tmp_path: Path, keys: Path) -> None:
    """Nothing is hidden: no proof is made for a root that nobody vouches for."""
    export = written(tmp_path, LOG, forged_checkpoints())
    ran = run_command("audit", "prove", TASK, "--file", str(export), "--keys", str(keys))
    assert (ran.code, "no checkpoint yet" in ran.err) == (2, True)


def test_what_only_looks_like_a_tasks_event_is_not_in_its_proof(tmp_path: Path, keys: Path) -> None:
    """Nothing is hidden: nor does it keep anybody from one."""
    stranger = Identity("router", Ed25519PrivateKey.generate())
    made = AuditEvent(agent="router", action=Action.EGRESS_STARTED, at=NOW, task_id=TASK)
    log = [*LOG[:8], entry_of(made, 9, stranger), *LOG[9:], entry_of(made, 12, stranger)]
    over = Checkpoint(size=11, root=root_of(map(entry_leaf, log[:11])).hex(), at=NOW)
    export, file = written(tmp_path, log, [entry_of(over, 1, AUDITOR)]), tmp_path / "proof.json"
    file.write_text(run_command("audit", "prove", TASK, "--file", str(export), "--keys", str(keys)).out, "utf-8")
    assert [item["entry"]["sequence"] for item in json.loads(file.read_text("utf-8"))["entries"]] == [3, 8]
    assert check(file, keys / "ring.json").returncode == 0


@pytest.mark.parametrize("log", [LOG[:6] + LOG[7:], [*LOG[:6], LOG[7], LOG[6], *LOG[8:]]], ids=["gap", "swapped"])
def test_nothing_is_proved_from_a_log_that_its_checkpoint_is_not_over(
    log: list[LogEntry], tmp_path: Path, keys: Path
) -> None:
    """Nothing is hidden: a proof that cannot hold is not handed out, and the remedy names what finds the break."""
    export = written(tmp_path, [*log, event(12)][:11])
    ran = run_command("audit", "prove", TASK, "--file", str(export), "--keys", str(keys))
    assert (ran.code, "audit verify" in ran.err) == (2, True)


def test_what_is_left_of_a_cut_log_is_proved(tmp_path: Path, keys: Path) -> None:
    """Nothing is lost: a checkpoint over what is gone keeps nobody from a proof of the rest."""
    export, file = written(tmp_path, LOG[:9]), tmp_path / "proof.json"
    kept = tmp_path / "kept.json"
    kept.write_text(json.dumps({"size": 5, "root": ROOTS[5]}), "utf-8")
    ran = run_command("audit", "prove", "--since", str(kept), "--file", str(export), "--keys", str(keys))
    file.write_text(ran.out, "utf-8")
    assert (ran.json["checkpoint"]["sequence"], check(file, keys / "ring.json", kept).returncode) == (1, 0)
    late = run_command("audit", "prove", TASK, "--file", str(export), "--keys", str(keys))
    assert (late.code, "not signed for yet" in late.err) == (2, True)


def test_a_log_need_not_fit_into_memory() -> None:
    """It runs on what you have: of an entry its leaf is kept, and not what it says."""
    count = 5_000
    seal = LogSeal(lambda _: None, TASK)
    tracemalloc.start()
    for place in range(0, count, 500):
        seal.add(
            LogEntry(number, LOG[0].subject, dict(LOG[0].headers), bytes(2_000)) for number in range(place, place + 500)
        )
    kept = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert kept < 200 * count


@pytest.mark.parametrize("words", [(), (TASK, "--since", "x"), (TASK.replace("0", "f"),)])
def test_what_cannot_be_proved_is_said(words: tuple[str, ...], tmp_path: Path, keys: Path) -> None:
    """Nothing is hidden: no proof of nothing."""
    ran = run_command("audit", "prove", *words, "--file", str(written(tmp_path, LOG)), "--keys", str(keys))
    assert ran.code == 2
    assert "remedy" in ran.err


def test_the_program_can_be_printed() -> None:
    """Nothing is hidden: it travels with the export."""
    assert run_command("audit", "verifier").out == PROGRAM.read_text("utf-8")


@pytest.mark.parametrize(
    "text",
    ["[]", '{"covered": 0, "root": ""}', '{"size": 1e999, "root": ""}', pytest.param("[" * 100_000, id="deep")],
)
def test_a_file_without_checkpoints_does_not_pass_for_one(text: str, tmp_path: Path, keys: Path) -> None:
    """Nothing is hidden: the answer is a line, and not that there was nothing to hold the log against."""
    kept = tmp_path / "kept.json"
    kept.write_text(text)
    ran = check(written(tmp_path, LOG), keys / "ring.json", kept)
    assert (ran.returncode, ran.stdout.splitlines()[-1:]) == (1, ["DOES NOT HOLD"])
    assert "Traceback" not in ran.stderr


DEEP = pytest.param('{"part": ' + "[" * 100_000, id="deep")


@pytest.mark.parametrize("text", [DEEP, "", "[]", "{}", '{"part": "log"}', '{"proves": "inclusion"}', "\ud800", "x"])
def test_rubbish_does_not_hold(text: str, tmp_path: Path, keys: Path) -> None:
    """Nothing is hidden: whatever the file is, the answer is a line and not a traceback."""
    file = tmp_path / "x"
    file.write_bytes(text.encode("utf-8", "surrogatepass"))
    ran = check(file, keys / "ring.json")
    assert (ran.returncode, ran.stdout.splitlines()[-1]) == (1, "DOES NOT HOLD")
    assert run_command("audit", "verify", "--file", str(file), "--keys", str(keys)).code == 2
    assert "Traceback" not in ran.stderr


@given(st.integers(1, 70), st.data())
@settings(max_examples=60, deadline=None)
def test_both_programs_agree_on_every_proof(size: int, data: st.DataObject) -> None:
    """Nothing is hidden: paths are checked alike, whole and spoiled."""
    leaves = [bytes([number]) * 32 for number in range(size)]
    index, old = data.draw(st.integers(0, size - 1)), data.draw(st.integers(1, size))
    levels = levels_of(b"".join(leaves))
    path, growth = path_through(levels, index), consistency_path(levels, old)
    root, before = root_of(leaves), root_of(leaves[:old])
    if data.draw(st.booleans()):
        path, growth = path[:-1], [*growth, b"x" * 32]
    assert verifier.includes(root, size, leaves[index], index, path) == includes(root, size, leaves[index], index, path)
    assert verifier.grew(before, old, root, size, growth) == grew(before, old, root, size, growth)
    tree = verifier.Tree({old, size}, 0, [])
    for leaf in leaves:
        tree.add(leaf)
    assert tree.roots == {old: before.hex(), size: root.hex()}
