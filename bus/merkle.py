"""The Merkle tree of RFC 9162, section 2.1: roots, growing by one entry, inclusion and consistency proofs.

Hashes are 32-byte SHA-256 digests. Leaves and nodes are hashed under different first bytes, so that neither can
be passed off as the other.
"""

import hashlib
from collections.abc import Iterable, Sequence

EMPTY_ROOT = hashlib.sha256(b"").digest()
_SIZE = 32


def leaf_hash(entry: bytes) -> bytes:
    """Return the hash of one entry."""
    return hashlib.sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the hash over two subtrees."""
    return hashlib.sha256(b"\x01" + left + right).digest()


class Frontier:
    """A tree that only grows: the roots of its perfect subtrees, largest first; O(log n) room and time."""

    def __init__(self, size: int = 0, peaks: Sequence[bytes] = ()) -> None:
        """Begin with the tree of ``size`` entries that has these ``peaks``; raises ValueError if it has others."""
        if len(peaks) != size.bit_count():
            raise ValueError("a tree has one peak for each bit of its size")
        self._peaks = list(peaks)
        self.size = size

    @property
    def peaks(self) -> tuple[bytes, ...]:
        """The roots of the perfect subtrees, largest first: enough to go on from."""
        return tuple(self._peaks)

    def append(self, leaf: bytes) -> None:
        """Add the hash of the next leaf."""
        self.size += 1
        self._peaks.append(leaf)
        # Every trailing zero bit of the new size closes one more perfect subtree.
        merges = (self.size & -self.size).bit_length() - 1
        for _ in range(merges):
            right = self._peaks.pop()
            self._peaks[-1] = node_hash(self._peaks[-1], right)

    def root(self) -> bytes:
        """Return the tree's root, ``MTH`` in the RFC."""
        if not self._peaks:
            return EMPTY_ROOT
        root = self._peaks[-1]
        for peak in reversed(self._peaks[:-1]):
            root = node_hash(peak, root)
        return root


def root_of(leaves: Iterable[bytes]) -> bytes:
    """Return the root over leaf hashes."""
    tree = Frontier()
    for leaf in leaves:
        tree.append(leaf)
    return tree.root()


def levels_of(leaves: bytes | bytearray) -> list[bytes | bytearray]:
    """Return all nodes of the tree over leaf hashes, level by level, each level in one piece: for many paths."""
    levels = [leaves]
    while len(below := levels[-1]) > _SIZE:
        level = bytearray()
        for place in range(0, len(below) - _SIZE, 2 * _SIZE):
            level += hashlib.sha256(b"\x01" + below[place : place + 2 * _SIZE]).digest()
        if len(below) % (2 * _SIZE):
            level += below[-_SIZE:]
        levels.append(level)
    return levels


def path_through(levels: Sequence[bytes | bytearray], index: int) -> list[bytes]:
    """Return the proof that leaf ``index`` is in the tree of these nodes (``PATH``, 2.1.3.1), leaf end first."""
    if not 0 <= index < len(levels[0]) // _SIZE:
        raise IndexError(index)
    path: list[bytes] = []
    for level in levels[:-1]:
        if (index ^ 1) * _SIZE < len(level):
            path.append(_node(level, index ^ 1))
        index >>= 1
    return path


def includes(root: bytes, size: int, leaf: bytes, index: int, path: Sequence[bytes]) -> bool:
    """Say whether ``path`` proves ``leaf`` at ``index`` in the tree of ``size`` with ``root`` (2.1.3.2)."""
    if not 0 <= index < size:
        return False
    position, last, found = index, size - 1, leaf
    for sibling in path:
        if last == 0:
            return False
        if position & 1 or position == last:
            found = node_hash(sibling, found)
            while not position & 1 and position:
                position, last = position >> 1, last >> 1
        else:
            found = node_hash(found, sibling)
        position, last = position >> 1, last >> 1
    return last == 0 and found == root


def consistency_path(levels: Sequence[bytes | bytearray], old_size: int) -> list[bytes]:
    """Return the proof that the tree of these nodes grew from its first ``old_size`` leaves (``PROOF``, 2.1.4.1)."""
    size = len(levels[0]) // _SIZE
    if not 0 < old_size <= size:
        raise IndexError(old_size)
    start, end, path = 0, size, list[bytes]()
    while old_size < end:
        split = start + _split(end - start)
        if old_size <= split:
            path.append(_over(levels, split, end))
            end = split
        else:
            path.append(_over(levels, start, split))
            start = split
    # The old tree itself, where it is a node of the new one, is known to who checks.
    return [*([_over(levels, start, end)] if start else []), *reversed(path)]


def _over(levels: Sequence[bytes | bytearray], start: int, end: int) -> bytes:
    """Return the node over the leaves from ``start`` up to ``end``: it begins at a multiple of its width."""
    height = (end - start - 1).bit_length()
    return _node(levels[height], start >> height)


def _node(level: bytes | bytearray, place: int) -> bytes:
    return bytes(level[place * _SIZE : (place + 1) * _SIZE])


def grew(old_root: bytes, old_size: int, root: bytes, size: int, path: Sequence[bytes]) -> bool:
    """Say whether ``path`` proves that the old tree is the beginning of the new one (2.1.4.2)."""
    if not 0 < old_size <= size:
        return False
    if old_size == size:
        return not path and old_root == root
    # A perfect old tree is a node of the new one, and its hash is left out of the proof.
    steps = [old_root, *path] if old_size & (old_size - 1) == 0 else list(path)
    if not steps:
        return False
    position, last = old_size - 1, size - 1
    while position & 1:
        position, last = position >> 1, last >> 1
    old, new = steps[0], steps[0]
    for sibling in steps[1:]:
        if last == 0:
            return False
        if position & 1 or position == last:
            old, new = node_hash(sibling, old), node_hash(sibling, new)
            while not position & 1 and position:
                position, last = position >> 1, last >> 1
        else:
            new = node_hash(new, sibling)
        position, last = position >> 1, last >> 1
    return last == 0 and old == old_root and new == root


def _split(size: int) -> int:
    """Return the largest power of two below ``size``."""
    return 1 << (size - 1).bit_length() - 1
