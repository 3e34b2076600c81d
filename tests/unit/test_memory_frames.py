"""What crosses the pipe to the engine process arrives as it was sent."""

from array import array

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybridmesh.agents.memory.edge_frames import (
    HEADER,
    body_length,
    decode,
    encode,
    pack_point,
    pack_where,
    unpack_point,
    unpack_where,
)
from hybridmesh.agents.memory.store import Entry, Point, Sparse, Where

words = st.text(st.characters(codec="utf-8"), min_size=1, max_size=20)
tuples = st.lists(words, max_size=3).map(tuple)
times = st.floats(0, 4e9)
entries = st.builds(
    Entry,
    id=st.uuids().map(str),
    tenant=words,
    kind=words,
    item=words,
    created_at=times,
    key=words | st.none(),
    subject=words | st.none(),
    sources=tuples,
    derived_from=tuples,
    expires_at=times | st.none(),
    superseded_by=words | st.none(),
)
weights = st.floats(-1, 1, width=32)
sparse = st.lists(st.tuples(st.integers(0, 2**32 - 1), weights), max_size=5).map(
    lambda pairs: Sparse(tuple(i for i, _ in pairs), tuple(w for _, w in pairs))
)
points = st.builds(Point, entry=entries, dense=st.lists(weights, max_size=8).map(tuple), sparse=sparse)
selections = st.builds(
    Where, tenant=words, ids=tuples, kinds=tuples, keys=tuples, sources=tuples, alive_at=times | st.none()
)


@given(points)
def test_a_point_survives_the_pipe(point: Point) -> None:
    """Nothing is lost: fields, texts of any script, and float32 vectors are the same on the other side."""
    frame = encode({"n": 1, "point": pack_point(point)})
    assert body_length(frame[: HEADER.size]) == len(frame) - HEADER.size
    assert unpack_point(decode(frame[HEADER.size :])["point"]) == point


@given(selections)
def test_a_selection_survives_the_pipe(where: Where) -> None:
    """Nothing private leaves: no condition of a selection is dropped on the way."""
    frame = encode({"n": 1, "where": pack_where(where)})
    assert unpack_where(decode(frame[HEADER.size :])["where"]) == where


def test_a_selection_without_a_tenant_selects_nothing() -> None:
    """Nothing private leaves: it is an error, not a selection of every tenant."""
    with pytest.raises(KeyError):
        unpack_where({"ids": [], "alive_at": None})


def test_vectors_travel_as_little_endian_float32() -> None:
    """It runs on what you have: the form does not depend on the machine."""
    point = Point(Entry(id="i", tenant="t", kind="k", item="{}", created_at=0.0), (1.0, -2.5), Sparse())
    packed = pack_point(point)
    assert isinstance(packed, dict)
    assert packed["dense"] == "AACAPwAAIMA="
    assert array("f", [1.0, -2.5]).itemsize == 4
