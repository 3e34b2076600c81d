"""Checks an exported audit log, or a proof about one, without hybridmesh: the standard library and `cryptography`.

usage: python verify.py EXPORT-OR-PROOF ring.json [KEPT.json]

KEPT.json is a checkpoint written down earlier: {"size": …, "root": …}. Exit code 0: it holds; 1: it does not.
"""

import base64
import hashlib
import json
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from functools import cache, partial
from pathlib import Path
from typing import Any, cast

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
_FIELDS = frozenset({"part", "sequence", "subject", "headers", "body", "body_base64"})
_LONGEST = 2**26  # letters of a line: more than an entry could have
_PROOFS = {"inclusion": ("task", "entries"), "consistency": ("since", "path")}
_NO_CLAIM = "not over a whole number of entries above zero, with their root"
_ROOT = re.compile("[0-9a-f]{64}")
_SAID = 16  # bytes of a hash that tell one entry from another
_ARGUMENTS = (3, 4)


def body_of(entry: Entry) -> bytes:
    """Return an entry's body."""
    packed = entry.get("body_base64")
    return str(entry.get("body", "")).encode() if packed is None else base64.b64decode(packed, validate=True)


def entry_from(found: object) -> Entry:
    """Return what was read as an entry: with all that is checked, and nothing that is not; raises ValueError."""
    if not isinstance(found, dict) or not _FIELDS.issuperset(entry := cast("Entry", found)):
        raise ValueError
    headers: Any = entry.get("headers")
    bodies = [entry[name] for name in ("body", "body_base64") if name in entry]
    if not isinstance(headers, dict) or len(bodies) != 1 or type(entry.get("sequence")) is not int:
        raise ValueError
    texts = (entry.get("subject"), *bodies, *cast("Entry", headers).values())
    if entry.get("part") not in ("log", "checkpoints") or not all(isinstance(text, str) for text in texts):
        raise ValueError
    return entry


def read_json(text: str) -> Any:  # noqa: ANN401 - anything may stand in a file
    """Return what JSON says; raises ValueError also where a name stands twice in an object: people read the first."""
    return json.loads(text, object_pairs_hook=_only_once)


def _only_once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    if len(found := dict(pairs)) != len(pairs):
        raise ValueError
    return found


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


class Tree:
    """A Merkle tree that grows, and its root (hex) at each of some sizes; it may begin with ``peaks`` for ``size``."""

    def __init__(self, sizes: set[int], size: int, peaks: list[bytes]) -> None:
        """Begin with what is there already."""
        self.sizes, self.size, self.peaks = sizes, size, peaks
        self.roots: dict[int, str] = {size: root_of(peaks)} if size else {}

    def add(self, leaf: bytes) -> None:
        """Add the next leaf."""
        self.size += 1
        self.peaks.append(leaf)
        for _ in range((self.size & -self.size).bit_length() - 1):
            right = self.peaks.pop()
            self.peaks[-1] = node_hash(self.peaks[-1], right)
        if self.size in self.sizes:
            self.roots[self.size] = root_of(self.peaks)


def signed_beginning(signed: list[Entry]) -> int:
    """Return the first entry of a log by what was signed, as those before were old enough to go; it may be to come."""
    return max((item.get("first", 1) for item in signed if item.get("peaks")), default=1)


def beginning(first: int, signed: list[Entry]) -> Entry | None:
    """Return the checkpoint from which a log can be checked that begins with ``first``, if one says that it does."""
    if 1 < first <= signed_beginning(signed):
        for item in sorted((item for item in signed if item.get("peaks")), key=lambda item: item["size"]):
            peaks = [bytes.fromhex(peak) for peak in item["peaks"]]
            right = item["size"].bit_count() == len(peaks) and root_of(peaks) == item["root"]
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
    return 0 <= index < size and climb(leaf, leaf, index, size - 1, path)[1:] == (root, True)


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
    if len({name.lower() for name in headers}) != len(headers):
        return "a header stands there twice"
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
        if not is_claim(content.get("size"), content.get("root"), content.get("first", 1), content.get("peaks", ())):
            return _NO_CLAIM
        right = name == _AUDITOR and entry["subject"].endswith(f".{content['size']}")
    else:
        place = f".{name}.{content.get('task_id') or '-'}"
        right = name in RECORDERS and content["agent"] == name and entry["subject"].endswith(place)
    return None if right else "speaks for another, or of another subject"


def verifies(key: str, signature: bytes, content: bytes) -> bool:
    """Say whether an Ed25519 signature holds."""
    with suppress(InvalidSignature):
        key_of(key).verify(signature, content)
        return True
    return False


@cache
def key_of(text: str) -> Ed25519PublicKey:
    """Return a public key of the ring."""
    return Ed25519PublicKey.from_public_bytes(bytes.fromhex(text))


def claim_of(kept: Entry) -> Claim:
    """Return size and root of a checkpoint that was written down."""
    return kept["size"] if "size" in kept else kept["covered"], kept["root"]


def is_claim(size: object, root: object, first: object = 1, peaks: Iterable[object] = ()) -> bool:
    """Say whether a checkpoint says what it has to: a whole number of entries above zero, and hashes."""
    numbered = all(type(number) is int and number > 0 for number in (size, first))
    return numbered and all(isinstance(found, str) and _ROOT.fullmatch(found) for found in (root, *peaks))


def check_export(read: Callable[[], Iterable[Entry]], ring: Ring, kept: list[Entry]) -> tuple[list[str], str]:
    """Return what is wrong with an export, which is read three times, and what is to be said of one that is whole."""
    found: list[str] = []
    signed: list[Entry] = []
    for entry in (line for line in read() if line["part"] == "checkpoints"):
        problem = signer_problem(entry, ring, _CHECKPOINT)
        if problem:
            found.append(f"checkpoint {entry['sequence']}: {problem}")
        else:
            signed.append(json.loads(body_of(entry)))
    begins = next((line["sequence"] for line in read() if line["part"] == "log"), None)
    first = signed_beginning(signed) if begins is None else begins
    found += check_log((line for line in read() if line["part"] == "log"), first, signed, ring, kept)
    gone = f"entries 1 to {first - 1} are past their retention"
    nothing = f", nothing is there to verify before entry {first}" if begins is None else ""
    return found, gone + nothing if first > 1 else ""


def check_log(log: Iterable[Entry], first: int, signed: list[Entry], ring: Ring, kept: list[Entry]) -> list[str]:
    """Return where a log that begins with entry ``first`` does not hold, alone or against its checkpoints."""
    found: list[str] = []
    sealed, believed = {claim_of(item) for item in signed}, {claim_of(item) for item in kept}
    base = beginning(first, signed)
    last, before = (first - 1, base["size"]) if base else (0, 0)
    peaks = [bytes.fromhex(peak) for peak in base["peaks"]] if base else []
    tree = Tree({size for size, _ in sealed | believed}, before, peaks)
    heard: dict[bytes, int] = {}
    is_broken = False
    for entry in log:
        sequence = entry["sequence"]
        if sequence != last + 1:
            is_broken = True
            found.append(f"entry {last + 1}: missing or out of order, {sequence} stands there")
        last = max(last, sequence)
        problem, said = signer_problem(entry, ring, _EVENT), hashlib.sha256(signed_bytes(entry)).digest()[:_SAID]
        if heard.setdefault(said, sequence) != sequence:
            problem = problem or f"entry {heard[said]} again"
        found += [f"entry {sequence}: {problem}"] if problem else []
        if sequence > before and not is_broken:
            tree.add(leaf_of(entry))
    found += claim_problems(sealed, believed, tree.roots, before, last)
    return found if sealed or believed or not heard else [*found, "no checkpoint: a cut tail could not be seen"]


def claim_problems(sealed: set[Claim], kept: set[Claim], roots: dict[int, str], before: int, last: int) -> list[str]:
    """Return where checkpoints do not agree with the log, or with each other, or where that cannot be told."""
    claims = sorted(sealed | kept)
    wrong = [size for size, root in claims if size in roots and roots[size] != root]
    # Those behind the first follow from it.
    found = [f"checkpoint over {size} entries: they are not those that it was signed over" for size in wrong[:1]]
    largest = max((size for size, _ in claims), default=0)
    if largest > last:
        unsaid = "" if last else ", and no checkpoint says that they are past their retention"
        found.append(f"entry {last + 1}: the tail is cut: a checkpoint counts {largest} entries{unsaid}")
    counts = Counter(size for size, _ in claims)
    found += [f"two checkpoints over {size} entries with different roots" for size in counts if counts[size] > 1]
    # Older ones are in what the newest speaks for.
    newest = max((size for size, _ in kept), default=before)
    if newest < before and newest not in {size for size, _ in sealed}:
        found.append(f"the checkpoint over {newest} entries that was kept cannot be compared: the log begins later")
    return found


def check_proof(proof: Entry, ring: Ring, kept: list[Entry]) -> list[str]:
    """Return what is wrong with a proof; nothing: it holds."""
    problem = signer_problem(entry_from(proof["checkpoint"]), ring, _CHECKPOINT)
    if problem:
        return [f"checkpoint: {problem}"]
    size, root = claim_of(json.loads(body_of(proof["checkpoint"])))
    _check_names(proof, "checkpoint", "proves", *_PROOFS[proof["proves"]])
    if any(claim[0] == size and claim[1] != root for claim in map(claim_of, kept)):
        return [f"two checkpoints over {size} entries with different roots: the proof's, and the one that was kept"]
    if proof["proves"] == "inclusion":
        return check_entries(proof, ring, size, bytes.fromhex(root))
    _check_names(proof["since"], "size", "root")
    old_size, old_root = since = claim_of(proof["since"])
    if kept and since not in map(claim_of, kept):
        return ["the proof starts from another checkpoint than the one that was kept"]
    path = [bytes.fromhex(item) for item in proof["path"]]
    holds = is_claim(*since) and grew(bytes.fromhex(old_root), old_size, bytes.fromhex(root), size, path)
    return [] if holds else ["the log did not grow from that checkpoint"]


def check_entries(proof: Entry, ring: Ring, size: int, root: bytes) -> list[str]:
    """Return which entries of a proof are not what it says of them."""
    found, seen = list[str](), set[int]()
    for item in proof["entries"]:
        _check_names(item, "entry", "index", "path")
        entry, path = entry_from(item["entry"]), [bytes.fromhex(part) for part in item["path"]]
        index, sequence = item["index"], entry["sequence"]
        problem = signer_problem(entry, ring, _EVENT)
        if problem is None and json.loads(body_of(entry)).get("task_id") != str(proof["task"]):
            problem = "not about this task"
        if problem is None and (type(index) is not int or sequence != index + 1 or sequence in seen):
            problem = "stands there twice" if sequence in seen else "stands elsewhere"
        if problem is None and not includes(root, size, leaf_of(entry), index, path):
            problem = "not in the log that the checkpoint was signed over"
        seen.add(sequence)
        found += [f"entry {sequence}: {problem}"] if problem else []
    return found if proof["entries"] else ["the proof is empty"]


def main(arguments: list[str]) -> int:
    """Check what the arguments name, and say how it stands."""
    if len(arguments) not in _ARGUMENTS:
        sys.stderr.write(f"{__doc__}\n")
        return 2
    note = ""
    try:
        ring: Ring = read_json(Path(arguments[2]).read_text("utf-8"))
        kept = _kept(arguments[3]) if len(arguments) == max(_ARGUMENTS) else []
        found, note = _check(Path(arguments[1]), ring, kept)
    except OSError as error:
        found = [f"a file cannot be read: {error.strerror}"]
    except Fault as fault:
        found = [str(fault)]
    except (LookupError, TypeError, ValueError, AttributeError, OverflowError, RecursionError, MemoryError) as error:
        found = [f"neither an export nor a proof: {type(error).__name__}"]
    for line in found or [note] * bool(note):
        sys.stdout.write(f"{line}\n")
    sys.stdout.write("DOES NOT HOLD\n" if found else "it holds\n")
    return 1 if found else 0


class Fault(Exception):
    """A file is not what it ought to be, which must not pass for one where there is nothing to find."""


def _kept(file: str) -> list[Entry]:
    text = Path(file).read_text("utf-8").strip()
    found: list[Entry] = read_json(text if text.startswith("[") else f"[{text}]")
    wrong = [number for number, item in enumerate(found, start=1) if not is_claim(*claim_of(item))]
    if wrong or not found:
        raise Fault(
            f"checkpoint {wrong[0]} of those that were kept is {_NO_CLAIM}" if wrong else "no checkpoint was kept"
        )
    return found


def _check_names(found: Entry, *names: str) -> None:
    if found.keys() != {*names}:
        raise Fault("the proof has more in it than is checked, or less")


def read_export(file: Path) -> Iterator[Entry]:
    """Yield the lines of an export one after the other, as a log may be larger than memory."""
    with file.open(encoding="utf-8", newline="\n") as lines:
        for number, line in enumerate(iter(partial(lines.readline, _LONGEST), ""), start=1):
            try:
                found = [entry_from(read_json(line))] if line.strip() else []
            except (ValueError, RecursionError):
                raise Fault(f"line {number} is not an entry of an export") from None
            yield from found


def _check(file: Path, ring: Ring, kept: list[Entry]) -> tuple[list[str], str]:
    with file.open(encoding="utf-8", newline="\n") as lines:
        start = next((line for line in iter(partial(lines.readline, _LONGEST), "") if line.strip()), "")
    if not start:
        raise Fault("the file is empty")
    first: Any = None
    with suppress(ValueError):  # a proof may be on many lines; it has entries within
        first = json.loads(start)
    if isinstance(first, dict) and "part" in first:
        return check_export(partial(read_export, file), ring, kept)
    proof: Entry = read_json(file.read_text("utf-8"))
    alone = "the checkpoint that was kept was not compared: a proof with `since` does that"
    return check_proof(proof, ring, kept), alone if kept and proof["proves"] == "inclusion" else ""


if __name__ == "__main__":
    sys.exit(main(sys.argv))
