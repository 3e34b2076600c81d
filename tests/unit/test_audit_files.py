"""Exports that somebody has had his hands in: what people would read there, and nobody signed, is not passed over."""

import base64
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from command_line import run_command
from hybridmesh.agents.auditor import bundle
from hybridmesh.agents.auditor.bundle import write_line
from hybridmesh.bus.proofs import LogEntry, entry_leaf
from hybridmesh.infra import offline_verifier as verifier
from hybridmesh.infra.audit_check import verify_entries
from signed_log import LOG, RING, SIGNED, check, with_ring, written


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    """A folder with the ring."""
    return with_ring(tmp_path)


def doubled(line: str) -> str:
    """Say the body twice: people read the first."""
    return line.replace('"body": ', '"body": "all is well", "body": ', 1)


def packed_too(line: str) -> str:
    """Give the body again in base 64, which is what is checked."""
    fields = json.loads(line)
    fields["body_base64"] = base64.b64encode(fields["body"].encode()).decode()
    return json.dumps({**fields, "body": "all is well"})


def with_more(line: str) -> str:
    """Add what nobody signed."""
    return json.dumps({**json.loads(line), "note": "all is well"})


def of_no_part(line: str) -> str:
    """Put another line before, in no part that is checked."""
    return f"{json.dumps({**json.loads(line), 'part': 'Log', 'body': 'all is well'})}\n{line}"


def numbered_otherwise(line: str) -> str:
    """Give a number that only looks like the right one."""
    return line.replace('"sequence": 5', '"sequence": 5.0')


def cut(line: str) -> str:
    """End in the middle."""
    return line[:-40]


@pytest.mark.parametrize("harm", [doubled, packed_too, with_more, of_no_part, numbered_otherwise, cut])
def test_a_line_says_nothing_that_is_not_checked(harm: Callable[[str], str], tmp_path: Path, keys: Path) -> None:
    """Nothing is hidden: what people read in an export is what was signed, and the fault is named by its line."""
    lines = [write_line("log", entry) for entry in LOG]
    file = tmp_path / "log.jsonl"
    signed = [write_line("checkpoints", entry) for entry in SIGNED]
    file.write_text("\n".join([*lines[:4], harm(lines[4]), *lines[5:], *signed]), "utf-8")
    ran = check(file, keys / "ring.json")
    assert (ran.returncode, ran.stdout) == (1, "line 5 is not an entry of an export\nDOES NOT HOLD\n")
    ran_here = run_command("audit", "verify", "--file", str(file), "--keys", str(keys))
    assert (ran_here.code, "line 5 is not an entry" in ran_here.err) == (2, True)


def test_a_header_in_other_letters_is_no_second_one(tmp_path: Path, keys: Path) -> None:
    """Nothing is hidden: the leaf is made of names in small letters, so that one would stand for the other."""
    forged = LogEntry(5, LOG[4].subject, {"CE-ID": "all is well", **LOG[4].headers}, LOG[4].body)
    assert entry_leaf(forged) == entry_leaf(LOG[4])
    log = [*LOG[:4], forged, *LOG[5:]]
    ran = check(written(tmp_path, log), keys / "ring.json")
    assert (ran.returncode, ran.stdout) == (1, "entry 5: a header stands there twice\nDOES NOT HOLD\n")
    assert [finding.sequence for finding in verify_entries(log, SIGNED, RING).findings] == [5]


def test_a_line_without_end_is_not_read_into_memory(
    tmp_path: Path, keys: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It runs on what you have: a file that is one line of gigabytes is refused by its first part."""
    monkeypatch.setattr(verifier, "_LONGEST", 10_000)
    monkeypatch.setattr(bundle, "_LONGEST", 10_000)
    file = tmp_path / "log.jsonl"
    file.write_text(f"{write_line('log', LOG[0])}\n{'[' * 100_000}", "utf-8")
    with pytest.raises(verifier.Fault, match="line 2"):
        list(verifier.read_export(file))
    ran = run_command("audit", "verify", "--file", str(file), "--keys", str(keys))
    assert (ran.code, "line 2 is not" in ran.err) == (2, True)
