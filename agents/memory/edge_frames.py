"""How the memory agent and its engine process talk: frames of a 4-byte big-endian length and a JSON object.

Dense vectors travel as base64 of little-endian float32, a quarter of their size as JSON numbers. Pure.
"""

import base64
import json
import struct
import sys
from array import array
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import cast

from hybridmesh.agents.memory.store import Entry, Json, Point, Sparse, Where

HEADER = struct.Struct(">I")


def encode(message: Mapping[str, Json]) -> bytes:
    """Return one frame."""
    body = json.dumps(message, separators=(",", ":")).encode()
    return HEADER.pack(len(body)) + body


def decode(body: bytes) -> dict[str, Json]:
    """Return the object of a frame's body, without its length."""
    return cast("dict[str, Json]", json.loads(body))


def body_length(header: bytes) -> int:
    """Return how many bytes follow the header."""
    return cast("int", HEADER.unpack(header)[0])


def pack_dense(vector: Sequence[float]) -> str:
    """Return a dense vector as text."""
    floats = array("f", vector)
    if sys.byteorder == "big":
        floats.byteswap()
    return base64.b64encode(floats.tobytes()).decode()


def unpack_dense(text: Json) -> list[float]:
    """Read back :func:`pack_dense`."""
    floats = array("f", base64.b64decode(cast("str", text)))
    if sys.byteorder == "big":
        floats.byteswap()
    return floats.tolist()


def pack_sparse(vector: Sparse) -> Json:
    """Return a sparse vector as JSON."""
    return [list(vector.indices), list(vector.values)]


def unpack_sparse(packed: Json) -> Sparse:
    """Read back :func:`pack_sparse`."""
    indices, values = cast("tuple[list[int], list[float]]", packed)
    return Sparse(tuple(indices), tuple(values))


def pack_entry(entry: Entry) -> dict[str, Json]:
    """Return a row without vectors as JSON."""
    return {"id": entry.id, "payload": entry.payload()}


def unpack_entry(packed: Json) -> Entry:
    """Read back :func:`pack_entry`."""
    row = cast("dict[str, Json]", packed)
    return Entry.from_payload(cast("str", row["id"]), cast("dict[str, Json]", row["payload"]))


def pack_point(point: Point) -> Json:
    """Return a row with its vectors as JSON."""
    vectors: dict[str, Json] = {"dense": pack_dense(point.dense), "sparse": pack_sparse(point.sparse)}
    return pack_entry(point.entry) | vectors


def unpack_point(packed: Json) -> Point:
    """Read back :func:`pack_point`."""
    row = cast("dict[str, Json]", packed)
    return Point(unpack_entry(row), tuple(unpack_dense(row["dense"])), unpack_sparse(row["sparse"]))


def pack_where(where: Where) -> Json:
    """Return a selection as JSON."""
    return cast("Json", asdict(where))


def unpack_where(packed: Json) -> Where:
    """Read back :func:`pack_where`; a selection without a tenant is a KeyError, never a selection of all."""
    fields = cast("dict[str, Json]", packed)
    lists = {name: tuple(cast("list[str]", value)) for name, value in fields.items() if isinstance(value, list)}
    return Where(tenant=cast("str", fields["tenant"]), alive_at=cast("float | None", fields["alive_at"]), **lists)
