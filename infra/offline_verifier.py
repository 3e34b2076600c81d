"""Checks an exported audit log, or a proof about one, without hybridmesh: the standard library and `cryptography`.

usage: python verify.py EXPORT-OR-PROOF ring.json [KEPT.json]

KEPT.json is a checkpoint written down earlier: {"size": …, "root": …}. Exit code 0: it holds; 1: it does not.
"""

import base64
import hashlib
import json
import sys
from collections import Counter
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

Entry = dict[str, Any]
Ring = dict[str, list[str]]
Claim = tuple[int, str]
_SOURCE = "/hybridmesh/"
_CHECKPOINT = "hybridmesh.audit.checkpoint.v1"
_EVENT = "hybridmesh.audit.recorded.v1"
_AUDITOR = "auditor"
# Who may write events; others have keys in the ring too, and sign other things.
RECORDERS = frozenset(
    {"auditor", "classifier", "consultant", "decomposer", "memory", "publisher", "router", "verifier", "worker"}
)
_ARGUMENTS = (3, 4)


def body_of(entry: Entry) -> bytes:
    """Return an entry's body."""
    packed = entry.get("body_base64")
    return str(entry.get("body", "")).encode() if packed is None else base64.b64decode(packed)


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the hash over two subtrees (RFC 9162, 2.1.1)."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def leaf_of(entry: Entry) -> bytes:
    """Return an entry's leaf: the hash of its canonical JSON (RFC 8785; all keys are ASCII, all numbers integers)."""
    headers = {name.lower(): value for name, value in entry["headers"].items()}
    fields = {
        "sequence": entry["sequence"],
        "subject": entry["subject"],
        "headers": {name: value for name, value in headers.items() if not name.startswith("nats-")},
        "body": hashlib.sha256(body_of(entry)).hexdigest(),
    }
    canonical = json.dumps(fields, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()
    return hashlib.sha256(b"\x00" + canonical).digest()


def root_of(peaks: list[bytes]) -> str:
    """Return the root (hex) of the tree with these perfect subtrees, largest first."""
    root = peaks[-1]
    for peak in reversed(peaks[:-1]):
        root = node_hash(peak, root)
    return root.hex()


def roots_at(leaves: list[bytes], sizes: set[int], before: int, peaks: list[bytes]) -> dict[int, str]:
    """Return the root (hex) over the first leaves, for each of the sizes; ``peaks`` stand for ``before`` of them."""
    found = {before: root_of(peaks)} if before else {}
    for size, leaf in enumerate(leaves, before + 1):
        peaks.append(leaf)
        for _ in range((size & -size).bit_length() - 1):
            right = peaks.pop()
            peaks[-1] = node_hash(peaks[-1], right)
        if size in sizes:
            found[size] = root_of(peaks)
    return found


def beginning(first: int, signed: list[Entry]) -> Entry | None:
    """Return the checkpoint from which a log can be checked that begins with entry ``first``, or None.

    Earlier entries may be past their retention, which is so only if a signed checkpoint says that the log began there.
    """
    known = [item for item in signed if item.get("peaks")]
    if first <= max((int(item.get("first", 1)) for item in known), default=1):
        for item in sorted(known, key=lambda item: int(item["size"])):
            peaks = [bytes.fromhex(peak) for peak in item["peaks"]]
            right = int(item["size"]).bit_count() == len(peaks) and root_of(peaks) == item["root"]
            if item["size"] >= first - 1 and right:
                return item
    return None


def climb(old: bytes, new: bytes, place: int, last: int, path: list[bytes]) -> tuple[bytes, bytes, bool]:
    """Walk a path to the root; return the hash over what is left of it, that over all, and if its length was right."""
    for sibling in path:
        if last == 0:
            return old, new, False
        if place & 1 or place == last:
            old, new = node_hash(sibling, old), node_hash(sibling, new)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            new = node_hash(new, sibling)
        place, last = place >> 1, last >> 1
    return old, new, last == 0


def includes(root: bytes, size: int, leaf: bytes, index: int, path: list[bytes]) -> bool:
    """Say whether a path proves a leaf in the tree (RFC 9162, 2.1.3.2)."""
    if not 0 <= index < size:
        return False
    _, found, whole = climb(leaf, leaf, index, size - 1, path)
    return whole and found == root


def grew(old_root: bytes, old_size: int, root: bytes, size: int, path: list[bytes]) -> bool:
    """Say whether a path proves that the old tree begins the new one (RFC 9162, 2.1.4.2)."""
    if not 0 < old_size <= size:
        return False
    if old_size == size:
        return not path and old_root == root
    steps = [old_root, *path] if old_size & (old_size - 1) == 0 else path
    if not steps:
        return False
    place, last = old_size - 1, size - 1
    while place & 1:
        place, last = place >> 1, last >> 1
    old, new, whole = climb(steps[0], steps[0], place, last, steps[1:])
    return whole and old == old_root and new == root


def signed_bytes(entry: Entry) -> bytes:
    """Return what an entry's producer signed."""
    names = ("id", "type", "source", "time")
    parts = [entry["subject"], *(entry["headers"].get(f"ce-{name}", "") for name in names)]
    return "\n".join([*parts, hashlib.sha256(body_of(entry)).hexdigest()]).encode("utf-8", "surrogatepass")


def signer_problem(entry: Entry, ring: Ring, kind: str) -> str | None:
    """Say what is wrong with an entry's signature, its type or its place, or None."""
    headers, body = entry["headers"], body_of(entry)
    if headers.get("ce-type") != kind:
        return "another type than its place asks for"
    signed = signed_bytes(entry)
    name = headers.get("ce-source", "").removeprefix(_SOURCE)
    try:
        signature = base64.b64decode(headers.get("mesh-signature", ""), validate=True)
    except ValueError:
        return "signature is not base64"
    if not any(verifies(key, signature, signed) for key in ring.get(name, [])):
        return "signature does not hold"
    content = json.loads(body)
    if kind == _CHECKPOINT:
        right = name == _AUDITOR and entry["subject"].endswith(f".{content['size']}")
    else:
        place = f".{name}.{content.get('task_id') or '-'}"
        right = name in RECORDERS and content["agent"] == name and entry["subject"].endswith(place)
    return None if right else "speaks for another, or of another subject"


def verifies(key: str, signature: bytes, content: bytes) -> bool:
    """Say whether an Ed25519 signature holds."""
    try:
        Ed25519PublicKey.from_public_bytes(bytes.fromhex(key)).verify(signature, content)
    except InvalidSignature:
        return False
    return True


def claim_of(kept: Entry) -> Claim:
    """Return size and root of a checkpoint that was written down."""
    return int(kept["size"] if "size" in kept else kept["covered"]), str(kept["root"])


def check_export(lines: list[Entry], ring: Ring, kept: list[Entry]) -> list[str]:
    """Return what is wrong with an exported log; nothing: it is whole."""
    found: list[str] = []
    signed: list[Entry] = []
    for entry in (line for line in lines if line["part"] == "checkpoints"):
        problem = signer_problem(entry, ring, _CHECKPOINT)
        if problem:
            found.append(f"checkpoint {entry['sequence']}: {problem}")
        else:
            signed.append(json.loads(body_of(entry)))
    sealed, believed = {claim_of(item) for item in signed}, {claim_of(item) for item in kept}
    log = [line for line in lines if line["part"] == "log"]
    base = beginning(log[0]["sequence"], signed) if log and log[0]["sequence"] > 1 else None
    last, before = (log[0]["sequence"] - 1, int(base["size"])) if base else (0, 0)
    leaves: list[bytes] = []
    heard: dict[bytes, int] = {}
    for entry in log:
        if entry["sequence"] != last + 1:
            found.append(f"entry {last + 1}: missing or out of order, {entry['sequence']} stands there")
            break
        last = entry["sequence"]
        problem = signer_problem(entry, ring, _EVENT)
        if heard.setdefault(signed_bytes(entry), last) != last:
            problem = problem or f"entry {heard[signed_bytes(entry)]} again"
        found += [f"entry {last}: {problem}"] if problem else []
        if last > before:
            leaves.append(leaf_of(entry))
    peaks = [bytes.fromhex(peak) for peak in base["peaks"]] if base else []
    roots = roots_at(leaves, {size for size, _ in sealed | believed}, before, peaks)
    found += claim_problems(sealed, believed, roots, before, last)
    return found if sealed or believed or not log else [*found, "no checkpoint: a cut tail could not be seen"]


def claim_problems(sealed: set[Claim], kept: set[Claim], roots: dict[int, str], before: int, last: int) -> list[str]:
    """Return where checkpoints do not agree with the log, or with each other, or where that cannot be told."""
    found: list[str] = []
    claims = sorted(sealed | kept)
    for size, root in claims:
        if size > last:
            found.append(f"entry {last + 1}: the tail is cut: a checkpoint counts {size} entries")
        elif size in roots and roots[size] != root:
            found.append(f"checkpoint over {size} entries: they are not those that it was signed over")
            break
    counts = Counter(size for size, _ in claims)
    found += [f"two checkpoints over {size} entries with different roots" for size in counts if counts[size] > 1]
    # Older ones are in what the newest speaks for.
    newest = max((size for size, _ in kept), default=before)
    if newest < before and newest not in {size for size, _ in sealed}:
        found.append(f"the checkpoint over {newest} entries that was kept cannot be compared: the log begins later")
    return found


def check_proof(proof: Entry, ring: Ring, kept: list[Entry]) -> list[str]:
    """Return what is wrong with a proof; nothing: it holds."""
    problem = signer_problem(proof["checkpoint"], ring, _CHECKPOINT)
    if problem:
        return [f"checkpoint: {problem}"]
    content = json.loads(body_of(proof["checkpoint"]))
    size, root = int(content["size"]), bytes.fromhex(content["root"])
    if proof["proves"] == "consistency":
        since = proof["since"]
        if kept and claim_of(since) not in [claim_of(item) for item in kept]:
            return ["the proof starts from another checkpoint than the one that was kept"]
        path = [bytes.fromhex(item) for item in proof["path"]]
        holds = grew(bytes.fromhex(since["root"]), int(since["size"]), root, size, path)
        return [] if holds else ["the log did not grow from that checkpoint"]
    found: list[str] = []
    for item in proof["entries"]:
        entry, path = item["entry"], [bytes.fromhex(part) for part in item["path"]]
        problem = signer_problem(entry, ring, _EVENT)
        if problem is None and json.loads(body_of(entry)).get("task_id") != proof["task"]:
            problem = "not about this task"
        if problem is None and entry["sequence"] != item["index"] + 1:
            problem = "stands elsewhere"
        if problem is None and not includes(root, size, leaf_of(entry), int(item["index"]), path):
            problem = "not in the log that the checkpoint was signed over"
        found += [f"entry {entry['sequence']}: {problem}"] if problem else []
    return found if proof["entries"] else ["the proof is empty"]


def main(arguments: list[str]) -> int:
    """Check what the arguments name, and say how it stands."""
    if len(arguments) not in _ARGUMENTS:
        sys.stderr.write(f"{__doc__}\n")
        return 2
    try:
        text = Path(arguments[1]).read_text("utf-8")
        ring: Ring = json.loads(Path(arguments[2]).read_text("utf-8"))
        found = _check(text, ring, _kept(arguments[3]) if len(arguments) == max(_ARGUMENTS) else [])
    except OSError as error:
        found = [f"a file cannot be read: {error.strerror}"]
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        found = [f"neither an export nor a proof: {type(error).__name__}"]
    for problem in found:
        sys.stdout.write(f"{problem}\n")
    sys.stdout.write("DOES NOT HOLD\n" if found else "it holds\n")
    return 1 if found else 0


def _kept(file: str) -> list[Entry]:
    text = Path(file).read_text("utf-8").strip()
    found: list[Entry] = json.loads(text if text.startswith("[") else f"[{text}]")
    return found


def _check(text: str, ring: Ring, kept: list[Entry]) -> list[str]:
    lines = [line for line in text.split("\n") if line.strip()]
    if not lines or '"part"' in lines[0].partition('"subject"')[0]:
        return check_export([json.loads(line) for line in lines], ring, kept)
    proof: Entry = json.loads(text)
    return check_proof(proof, ring, kept)


if __name__ == "__main__":
    sys.exit(main(sys.argv))
