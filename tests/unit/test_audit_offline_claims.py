"""What the outsider's program takes for a checkpoint, kept or signed, and for a proof's entry: no more than it is."""

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from command_line import run_command
from hybridmesh.bus.envelope import SIGNATURE, signed_bytes
from hybridmesh.bus.proofs import LogEntry
from signed_log import AUDITOR, LOG, ROOTS, SIGNED, TASK, check, with_ring, written

NO_CLAIM = "not over a whole number of entries above zero, with their root"


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    """A folder with the ring."""
    return with_ring(tmp_path)


def signed(changes: dict[str, object]) -> LogEntry:
    """Return the last checkpoint with other words in it, signed by the auditor all the same."""
    content = json.loads(SIGNED[-1].body) | changes
    subject = f"{SIGNED[-1].subject.rpartition('.')[0]}.{content['size']}"
    headers, body = dict(SIGNED[-1].headers), json.dumps(content).encode()
    headers[SIGNATURE] = base64.b64encode(AUDITOR.sign(signed_bytes(subject, headers, body))).decode()
    return LogEntry(7, subject, headers, body)


ODD_VALUES: dict[str, tuple[object, ...]] = {
    "size": (0, -1, -11, 11.0, 10.5, True, "11", None),
    "root": ("", "00", "AA" * 32, f"{'00' * 32} ", 0, None),
    "first": (0, -1, 1.5, "1"),
    "peaks": ([""], ["zz" * 32], [0]),
}
ODD_CLAIMS = [(name, value) for name, values in ODD_VALUES.items() for value in values]


@pytest.mark.parametrize(("name", "value"), ODD_CLAIMS)
def test_a_signed_checkpoint_that_says_nothing_is_named(name: str, value: object, tmp_path: Path, keys: Path) -> None:
    """Nothing is hidden: a signature alone makes no checkpoint, and a log that has no other is not whole."""
    for others in ([], SIGNED):
        ran = check(written(tmp_path, LOG, [signed({name: value}), *others]), keys / "ring.json")
        assert (ran.returncode, ran.stdout.splitlines()[0]) == (1, f"checkpoint 7: {NO_CLAIM}")
        assert ("no checkpoint: a cut tail" in ran.stdout) is (not others)


def test_the_same_checkpoint_signed_in_this_way_holds(tmp_path: Path, keys: Path) -> None:
    """Nothing is hidden: it is what they say that the others are refused for."""
    assert check(written(tmp_path, LOG, [signed({})]), keys / "ring.json").stdout == "it holds\n"


@pytest.mark.parametrize("size", [0, -5, 5.0, 5.9, True, "5", None])
def test_a_kept_checkpoint_over_no_whole_number_is_named(size: object, tmp_path: Path, keys: Path) -> None:
    """Nothing is hidden: what is not compared must not pass for compared; which of several it was is said."""
    kept, whole = tmp_path / "kept.json", {"size": 11, "root": ROOTS[11]}
    for file in (written(tmp_path, LOG), proof_of(tmp_path, keys, TASK)):
        kept.write_text(json.dumps([whole, {"size": size, "root": ROOTS[5]}]), "utf-8")
        ran = check(file, keys / "ring.json", kept)
        said = f"checkpoint 2 of those that were kept is {NO_CLAIM}"
        assert (ran.returncode, ran.stdout.splitlines()[0]) == (1, said)
    words = ["--file", str(written(tmp_path, LOG)), "--keys", str(keys), "--kept", str(kept)]
    assert run_command("audit", "verify", words).code == 2


@pytest.mark.parametrize("text", ['{"size": 5, "size": 11, "root": "%s"}', '{"size": 11, "root": "%s "}'])
def test_a_kept_checkpoint_says_one_thing(text: str, tmp_path: Path, keys: Path) -> None:
    """Nothing is hidden: who reads the first of two sizes is not told that the second holds."""
    (tmp_path / "kept.json").write_text(text % ROOTS[11], "utf-8")
    assert check(written(tmp_path, LOG), keys / "ring.json", tmp_path / "kept.json").returncode == 1


def proof_of(tmp_path: Path, keys: Path, *words: str) -> Path:
    """Return the file of a proof."""
    ran = run_command("audit", "prove", *words, "--file", str(written(tmp_path, LOG)), "--keys", str(keys))
    file = tmp_path / "proof.json"
    file.write_text(ran.out, "utf-8")
    return file


def twice(proof: dict[str, Any]) -> None:
    """One event is counted as two."""
    proof["entries"].append(proof["entries"][0])


def noted(proof: dict[str, Any]) -> None:
    """Something stands beside an entry that nobody signed."""
    proof["entries"][1]["note"] = "all is well"


def floating(proof: dict[str, Any]) -> None:
    """A place is no whole number."""
    proof["entries"][0]["index"] = 2.0


def of_no_task(proof: dict[str, Any]) -> None:
    """It is about nothing."""
    proof["task"] = None


@pytest.mark.parametrize(
    ("harm", "named"),
    [
        (twice, "entry 3: stands there twice"),
        (noted, "the proof has more in it than is checked, or less"),
        (floating, "entry 3: stands elsewhere"),
        (of_no_task, "entry 3: not about this task"),
    ],
)
def test_a_proof_says_nothing_that_is_not_checked(
    harm: Callable[[dict[str, Any]], None], named: str, tmp_path: Path, keys: Path
) -> None:
    """Nothing is hidden: neither more events than there were, nor words that nobody signed."""
    file = proof_of(tmp_path, keys, TASK)
    proof = json.loads(file.read_text("utf-8"))
    harm(proof)
    file.write_text(json.dumps(proof), "utf-8")
    ran = check(file, keys / "ring.json")
    assert (ran.returncode, ran.stdout.splitlines()[0]) == (1, named)


@pytest.mark.parametrize(
    "changes", [{"size": 5.0}, {"size": 0}, {"size": True}, {"note": "x"}, {"root": "00"}], ids=str
)
def test_a_proof_of_growth_starts_from_a_checkpoint(changes: dict[str, object], tmp_path: Path, keys: Path) -> None:
    """Nothing is hidden: that a log grew from nothing, or from half an entry, proves nothing."""
    (tmp_path / "kept.json").write_text(json.dumps({"size": 5, "root": ROOTS[5]}), "utf-8")
    file = proof_of(tmp_path, keys, "--since", str(tmp_path / "kept.json"))
    assert check(file, keys / "ring.json").stdout == "it holds\n"
    proof = json.loads(file.read_text("utf-8"))
    proof["since"] |= changes
    file.write_text(json.dumps(proof), "utf-8")
    ran = check(file, keys / "ring.json")
    assert (ran.returncode, ran.stdout.splitlines()[-1]) == (1, "DOES NOT HOLD")
