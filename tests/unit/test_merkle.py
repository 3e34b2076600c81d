"""The Merkle tree against the definitions of RFC 9162, written here a second time, recursively."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybridmesh.bus.merkle import (
    EMPTY_ROOT,
    Frontier,
    consistency_path,
    grew,
    includes,
    leaf_hash,
    levels_of,
    path_through,
    root_of,
)

sizes = st.integers(min_value=1, max_value=70)


def defined_root(entries: list[bytes]) -> bytes:
    """MTH of RFC 9162, 2.1.1, word for word."""
    if not entries:
        return hashlib.sha256(b"").digest()
    if len(entries) == 1:
        return hashlib.sha256(b"\x00" + entries[0]).digest()
    k = 1
    while k * 2 < len(entries):
        k *= 2
    return hashlib.sha256(b"\x01" + defined_root(entries[:k]) + defined_root(entries[k:])).digest()


def entries_of(size: int) -> list[bytes]:
    return [f"entry {number}".encode() for number in range(size)]


def leaves_of(size: int) -> list[bytes]:
    return [leaf_hash(entry) for entry in entries_of(size)]


def test_known_roots() -> None:
    """Nothing is hidden: the hashes are the RFC's, worked out by hand for one and two entries."""
    assert EMPTY_ROOT.hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert leaf_hash(b"").hex() == "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"
    two = hashlib.sha256(b"\x01" + leaf_hash(b"a") + leaf_hash(b"b")).digest()
    assert root_of([leaf_hash(b"a"), leaf_hash(b"b")]) == two


@given(st.lists(st.binary(max_size=20), max_size=80))
def test_growing_tree_has_the_defined_root(entries: list[bytes]) -> None:
    """Nothing is hidden: the tree that grows by one has, at every size, the root of the definition."""
    tree = Frontier()
    assert tree.root() == EMPTY_ROOT
    for count, entry in enumerate(entries, start=1):
        tree.append(leaf_hash(entry))
        assert (tree.size, tree.root()) == (count, defined_root(entries[:count]))


@given(sizes, st.data())
def test_inclusion_is_proved(size: int, data: st.DataObject) -> None:
    """Nothing is hidden: one event can be shown to be in the log without the log."""
    index = data.draw(st.integers(0, size - 1))
    leaves = leaves_of(size)
    path, root = path_through(levels_of(b"".join(leaves)), index), root_of(leaves)
    assert includes(root, size, leaves[index], index, path)
    assert not includes(root, size, leaf_hash(b"another"), index, path)
    assert not includes(root, size, leaves[index], (index + 1) % size, path) or size == 1
    assert not includes(root, size, leaves[index], size, path)
    assert not includes(root, size, leaves[index], index, [*path, leaf_hash(b"more")])
    if path:
        assert not includes(root, size, leaves[index], index, path[:-1])


@given(sizes, st.data())
def test_growth_is_proved(size: int, data: st.DataObject) -> None:
    """Nothing is hidden: a later checkpoint can be shown to continue an earlier one."""
    old_size = data.draw(st.integers(1, size))
    leaves = leaves_of(size)
    old, new, path = (
        root_of(leaves[:old_size]),
        root_of(leaves),
        consistency_path(levels_of(b"".join(leaves)), old_size),
    )
    assert grew(old, old_size, new, size, path)
    rewritten = root_of([leaf_hash(b"rewritten"), *leaves[1:]])
    assert not grew(old, old_size, rewritten, size, path)
    assert not grew(rewritten, old_size, new, size, path)
    assert not grew(old, old_size, new, size, [*path, new])
    assert not grew(old, size + 1, new, size, path)


@pytest.mark.parametrize(("size", "index"), [(0, 0), (3, 3), (3, -1)])
def test_no_proof_outside_the_tree(size: int, index: int) -> None:
    """Nothing is hidden: no proof can be asked for an entry that is not there."""
    with pytest.raises(IndexError):
        path_through(levels_of(b"".join(leaves_of(size))), index)
    with pytest.raises(IndexError):
        consistency_path(levels_of(b"".join(leaves_of(size))), 0)


@given(sizes, st.data())
def test_growth_is_proved_as_it_is_defined(size: int, data: st.DataObject) -> None:
    """Nothing is hidden: PROOF of RFC 9162, 2.1.4.1, word for word, gives the same hashes in the same order."""
    old_size = data.draw(st.integers(1, size))
    levels = levels_of(b"".join(leaves_of(size)))
    assert consistency_path(levels, old_size) == defined_growth(entries_of(size), old_size, whole=True)


def defined_growth(entries: list[bytes], old_size: int, *, whole: bool) -> list[bytes]:
    """SUBPROOF of the RFC."""
    if old_size == len(entries):
        return [] if whole else [defined_root(entries)]
    k = 1
    while k * 2 < len(entries):
        k *= 2
    if old_size <= k:
        return [*defined_growth(entries[:k], old_size, whole=whole), defined_root(entries[k:])]
    return [*defined_growth(entries[k:], old_size - k, whole=False), defined_root(entries[:k])]
